/** Keeps the page connected: session, socket, and what is to be sent. */

import { nextToSend } from "../model/outbox.js";
import { pauseBefore } from "../shared/backoff.js";
import { UnreachableError } from "./api.js";

const TICK_MS = 500;

/**
 * @param {object} store of model/chat_state.js.
 * @param {object} api of chat/api.js.
 * @param {(url: string) => WebSocket} openSocket
 */
export function chatClient(store, api, openSocket) {
  let failures = 0;
  let socket = null;
  let timer = 0;
  let attempt = 0;

  /** Present the session, then listen. */
  async function connect(changes = {}) {
    const mine = ++attempt;
    clearTimeout(timer);
    close();
    store.dispatch({ type: "connecting" });
    const { user, conversation } = { ...store.state, ...changes };
    try {
      const session = await api.session(
        user ? { user, conversation: conversation ?? undefined } : {},
      );
      if (mine !== attempt) return;
      if (!isMember(session)) {
        left(session);
        return;
      }
      store.dispatch({ type: "opened", session, now: Date.now() });
      listen(mine);
      await refreshConversations();
    } catch (error) {
      if (mine !== attempt) return;
      // The server does not accept what the tab has kept, such as another version's session.
      const anew = error.status === 400 && user && Object.keys(changes).length === 0;
      if (anew) connect({ user: undefined, conversation: undefined });
      else later(error);
    }
  }

  /** Open any conversation that the server knows, as one of its members. */
  async function visit(id) {
    const conversation = await api.conversation(id);
    const { user } = store.state;
    const goesAs = isMember({ user, conversation }) ? user : conversation.members[0];
    await connect({ conversation, user: goesAs });
  }

  /** The user was removed: open their chat with the bot instead. */
  function left({ conversation }) {
    const text = `You are no longer a member of ${conversation.name || "this conversation"}.`;
    store.dispatch({ type: "notice", notice: { kind: "info", text } });
    connect({ conversation: undefined });
  }

  function later(error) {
    if (error instanceof UnreachableError) store.dispatch({ type: "lost" });
    else store.dispatch({ type: "notice", notice: { kind: "error", text: error.message } });
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(() => connect(), pauseBefore(failures));
  }

  function listen(mine) {
    const { user, conversation, reached } = store.state;
    const query = new URLSearchParams({
      user: user.id,
      conversation: conversation.id,
      after: reached,
    });
    const opened = openSocket(`ws://${location.host}/api/chat/live?${query}`);
    socket = opened;
    opened.addEventListener("message", ({ data }) => {
      if (mine === attempt) take(JSON.parse(data));
    });
    opened.addEventListener("close", () => {
      if (mine === attempt) later(new UnreachableError());
    });
  }

  function take(message) {
    const now = Date.now();
    if (message.type === "hello") {
      failures = 0;
      store.dispatch({ ...message, type: "hello" });
      flush();
    } else if (message.type === "delivery") {
      store.dispatch({ type: "delivery", delivery: message, now });
    } else if (message.type === "typing") {
      store.dispatch({ type: "personTyping", user: message.user, now });
    } else if (message.type === "conversations") {
      refreshConversations().catch(() => {});
    } else if (message.type === "conversation" && isLost(message.conversation)) {
      left(message);
    } else if (["changes", "status", "conversation", "elsewhere"].includes(message.type)) {
      store.dispatch({ ...message, now });
    }
  }

  function close() {
    socket?.close();
    socket = null;
  }

  function isLost(conversation) {
    const { user, conversation: open } = store.state;
    return conversation.id === open?.id && !isMember({ user, conversation });
  }

  async function refreshConversations() {
    const conversations = await api.conversations(store.state.user.id);
    store.dispatch({ type: "conversations", conversations });
  }

  /** Send what waits, one after the other. */
  async function flush() {
    const { outbox, connection, conversation } = store.state;
    const entry = nextToSend(outbox.filter((each) => each.conversation === conversation?.id));
    if (entry === null || connection !== "connected") return;
    const { clientId, activity, thread, shown } = entry;
    store.dispatch({ type: "outboxState", clientId, to: "sending" });
    try {
      await api.send(activity, { clientId, thread, shown });
      store.dispatch({ type: "sent", clientId });
    } catch (error) {
      const waits = error instanceof UnreachableError;
      const to = waits ? "waiting" : "failed";
      store.dispatch({ type: "outboxState", clientId, to, reason: error.message });
      // A message that may have been lost is sent again once the socket is back.
      if (waits && store.state.connection === "connected") setTimeout(flush, pauseBefore(2));
      if (waits) return;
    }
    await flush();
  }

  /** What the user sees until the server has it: `shown`, or the text; null: nothing. */
  function send(activity, shown = undefined, thread = undefined) {
    const { conversation } = store.state;
    const clientId = crypto.randomUUID();
    const entry = { clientId, conversation: conversation?.id, activity, shown, thread };
    store.dispatch({ type: "queued", entry: { ...entry, at: Date.now() } });
    flush();
  }

  function again(clientId) {
    store.dispatch({ type: "outboxState", clientId, to: "waiting" });
    flush();
  }

  const ticking = setInterval(() => store.dispatch({ type: "tick", now: Date.now() }), TICK_MS);

  return {
    connect,
    visit,
    send,
    again,
    flush,
    refreshConversations,
    stop: () => clearInterval(ticking),
  };
}

function isMember({ user, conversation }) {
  return conversation.members.some(({ id }) => id === user.id);
}

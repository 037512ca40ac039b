/** The state of the chat page, and what changes it. */

import * as outbox from "./outbox.js";
import {
  EMPTY,
  withChanges,
  withRestart,
  withoutDeadStreams,
  withoutTyping,
} from "./transcript.js";

const PERSON_TYPING_MS = 5000;

export const RESTARTED = "The local cloud was restarted";

export function initialState(kept, pending) {
  return {
    connection: "connecting",
    status: { state: "starting", text: "" },
    user: kept.user ?? null,
    conversation: kept.conversation ?? null,
    bot: null,
    run: "",
    people: [],
    conversations: [],
    transcript: EMPTY,
    reached: 0,
    outbox: pending,
    deliveries: {},
    unread: {},
    // Counts the conversations that the tab has shown: what is typed before the first one stays.
    place: 0,
    typists: {},
    notice: null,
    dialog: null,
    attached: [],
    singleSignOn: kept.singleSignOn === true,
  };
}

const ACTIONS = {
  connecting: (state) =>
    state.connection === "lost" ? state : { ...state, connection: "connecting" },
  lost: (state) => ({ ...state, connection: "lost" }),
  opened: withSession,
  hello: (state, { status, unread }) => ({
    ...state,
    connection: "connected",
    status: status ?? state.status,
    unread: unread ?? state.unread,
  }),
  status: (state, { status }) => ({ ...state, status }),
  changes: withServerChanges,
  delivery: withDelivery,
  conversation: withConversation,
  conversations: (state, { conversations }) => ({ ...state, conversations }),
  personTyping: (state, { user, now }) =>
    user === state.user?.id
      ? state
      : { ...state, typists: { ...state.typists, [user]: now + PERSON_TYPING_MS } },
  elsewhere: (state, { conversation }) => ({
    ...state,
    unread: { ...state.unread, [conversation]: (state.unread[conversation] ?? 0) + 1 },
  }),
  tick: (state, { now }) => {
    const transcript = withoutDeadStreams(withoutTyping(state.transcript, { now }), now);
    const typists = Object.entries(state.typists).filter(([, until]) => until > now);
    const same = typists.length === Object.keys(state.typists).length;
    if (transcript === state.transcript && same) return state;
    return { ...state, transcript, typists: same ? state.typists : Object.fromEntries(typists) };
  },
  queued: (state, { entry }) => ({ ...state, outbox: outbox.queued(state.outbox, entry) }),
  outboxState: (state, { clientId, to, reason }) => ({
    ...state,
    outbox: outbox.withState(state.outbox, clientId, to, reason),
  }),
  sent: (state, { clientId }) => ({ ...state, outbox: outbox.without(state.outbox, clientId) }),
  notice: (state, { notice }) => ({ ...state, notice }),
  dialog: (state, { dialog }) => ({ ...state, dialog }),
  singleSignOn: (state, { on }) => ({ ...state, singleSignOn: on }),
  attached: (state, { attached }) => ({ ...state, attached }),
};

export function reduce(state, action) {
  return ACTIONS[action.type](state, action);
}

/** The server's answer to the session that the tab presents. */
function withSession(state, { session, now }) {
  const { user, conversation, bot, people, run, status } = session;
  const same = state.conversation?.id === conversation.id && state.user?.id === user.id;
  const restarted = same && state.run !== "" && state.run !== run;
  const known = { ...state, user, conversation, bot, people: people ?? [], run };
  const place = state.conversation === null || same ? state.place : state.place + 1;
  const pending = outbox.addressed(state.outbox, conversation.id);
  const next = {
    ...known,
    place,
    attached: place === state.place ? state.attached : [],
    outbox: pending,
    status: status ?? state.status,
    unread: read(state, conversation.id),
  };
  if (same && !restarted) return next;
  const before = restarted && state.transcript.items.length > 0 ? state.transcript : EMPTY;
  const transcript = before === EMPTY ? EMPTY : withRestart(before, RESTARTED, now);
  return { ...next, transcript, reached: 0, deliveries: restarted ? {} : state.deliveries };
}

function read(state, conversationId) {
  const { [conversationId]: _, ...others } = state.unread;
  return others;
}

function withServerChanges(state, { changes, reached, now }) {
  const reader = { user: state.user.id, run: state.run, now };
  const transcript = withChanges(state.transcript, changes, reader);
  const typists = { ...state.typists };
  for (const { from } of changes) delete typists[from?.id];
  return {
    ...state,
    transcript,
    reached,
    typists,
    outbox: outbox.withoutArrived(state.outbox, changes),
  };
}

function withDelivery(state, { delivery, now }) {
  const deliveries = { ...state.deliveries, [delivery.activityId]: delivery };
  const over = delivery.state === "delivered" || delivery.state === "failed";
  const ended = over ? delivery.activityId : undefined;
  return { ...state, deliveries, transcript: withoutTyping(state.transcript, { now, ended }) };
}

function withConversation(state, { conversation }) {
  const conversations = state.conversations.map((each) =>
    each.id === conversation.id ? conversation : each,
  );
  const open = state.conversation?.id === conversation.id;
  return { ...state, conversations, conversation: open ? conversation : state.conversation };
}

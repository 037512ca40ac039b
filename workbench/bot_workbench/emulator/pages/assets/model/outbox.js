/** What the user has sent and the server does not have yet: kept until it does, in order. */

const KEY = "local-chat.outbox";

/**
 * An entry is `{clientId, conversation, activity, shown?, thread?, at, state, reason?}`; it is
 * "waiting" for a connection, "sending", or "failed".
 */
export function queued(outbox, entry) {
  return [...outbox, { ...entry, state: "waiting" }];
}

export function withState(outbox, clientId, state, reason = undefined) {
  return outbox.map((each) => (each.clientId === clientId ? { ...each, state, reason } : each));
}

export function without(outbox, clientId) {
  return outbox.filter((each) => each.clientId !== clientId);
}

/** Without what the transcript has: the server repeats the client's id. */
export function withoutArrived(outbox, changes) {
  const arrived = new Set(changes.map(({ clientId }) => clientId));
  return outbox.some(({ clientId }) => arrived.has(clientId))
    ? outbox.filter(({ clientId }) => !arrived.has(clientId))
    : outbox;
}

/** The next one to send; null while one is on its way: messages keep their order. */
export function nextToSend(outbox) {
  if (outbox.some(({ state }) => state === "sending")) return null;
  return outbox.find(({ state }) => state === "waiting") ?? null;
}

/** What was sent before there was a conversation goes to the first one. */
export function addressed(outbox, conversation) {
  return outbox.map((each) => (each.conversation ? each : { ...each, conversation }));
}

/** What people see of an entry; empty: nothing. One that failed is always seen. */
export function textOf({ activity, shown, state }) {
  const text = shown === undefined ? activity.text : shown;
  if (text) return text;
  if (shown !== null && activity.attachments?.length > 0) return "A card";
  return state === "failed" ? "The answer to a card" : "";
}

/** Those of one conversation, as the message list shows them. */
export function entriesOf(outbox, conversation) {
  return outbox.filter((each) => each.conversation === conversation);
}

export function keptOutbox(storage) {
  try {
    const entries = JSON.parse(storage.getItem(KEY) ?? "[]");
    if (!Array.isArray(entries)) return [];
    // The one on its way when the page was reloaded goes again, under the same client id.
    return entries.map((each) => (each.state === "sending" ? { ...each, state: "waiting" } : each));
  } catch {
    return [];
  }
}

export function keepOutbox(storage, outbox) {
  try {
    storage.setItem(KEY, JSON.stringify(outbox));
  } catch {
    // A file may be too large for the storage: then it does not survive a reload.
  }
}

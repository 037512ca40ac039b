// Which turns the list shows.

export const NO_FILTER = { text: "", type: "", conversation: "", channel: "", failedOnly: false };

const texts = new WeakMap();

/** Whether a filter leaves anything out. */
export function isFiltering(filter) {
  return Boolean(
    filter.text.trim() ||
      filter.type ||
      filter.conversation ||
      filter.channel ||
      filter.failedOnly,
  );
}

/** Whether a turn failed, logged an error, or was answered with an HTTP error. */
export function hasFailed(turn) {
  return turn.outcome === "failed" || turn.errors > 0 || turn.status >= 400;
}

/**
 * The turns that a filter shows.
 *
 * @param found ids of turns whose details contain the filter's text, as the server has found them.
 */
export function filtered(turns, filter, found = new Set()) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return turns.filter(
    (turn) =>
      (!filter.type || turn.type === filter.type) &&
      (!filter.channel || turn.channel === filter.channel) &&
      (!filter.conversation || turn.conversation?.id === filter.conversation) &&
      (!filter.failedOnly || hasFailed(turn)) &&
      (words.length === 0 || found.has(turn.id) || words.every((word) => has(turn, word))),
  );
}

/**
 * The values to choose from, each once, sorted by what is shown of them.
 *
 * @param here id of the conversation that the page shows; it comes first.
 */
export function choices(turns, here = "") {
  const types = new Set();
  const channels = new Set();
  const conversations = new Map();
  for (const turn of turns) {
    if (turn.type) types.add(turn.type);
    if (turn.channel) channels.add(turn.channel);
    const { id, name } = turn.conversation ?? {};
    if (id && (name || !conversations.has(id))) conversations.set(id, name || id);
  }
  const byName = (one, other) => one[1].localeCompare(other[1]);
  return {
    types: [...types].sort(),
    channels: [...channels].sort(),
    conversations: here
      ? [[here, "This conversation"], ...others(conversations, here).sort(byName)]
      : [...conversations].sort(byName),
  };
}

const others = (conversations, here) => [...conversations].filter(([id]) => id !== here);

function has(turn, word) {
  let text = texts.get(turn);
  if (text === undefined) {
    const { conversation, id, kind, type, name, text: said, from, channel, status } = turn;
    const parts = [id, kind, type, name, said, nameOf(from), channel, status];
    text = [...parts, conversation?.id, conversation?.name].join("\n").toLowerCase();
    texts.set(turn, text);
  }
  return text.includes(word);
}

/** Somebody's name, from an account or from a plain text. */
export function nameOf(from) {
  return typeof from === "string" ? from : (from?.name ?? from?.id ?? "");
}

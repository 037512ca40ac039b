// The turns that the page knows: what it does with each message of the live connection.

export const MAX_TURNS = 1000;
export const MAX_LINES = 200;

export const EMPTY = {
  turns: [],
  status: null,
  services: [],
  log: [],
  greeted: false,
};

/** The state after a message of the connection; the state itself is never changed. */
export function received(state, message) {
  switch (message.type) {
    case "hello":
      return {
        ...state,
        turns: message.turns.slice(-MAX_TURNS),
        status: message.status ?? null,
        services: message.services ?? state.services,
        log: message.logs ?? [],
        greeted: true,
      };
    case "turns":
      return { ...state, turns: message.turns.reduce(withTurn, state.turns) };
    case "cleared":
      return { ...state, turns: [], log: [] };
    case "status":
      return { ...state, status: message.status };
    case "services":
      return { ...state, services: message.services };
    case "log":
      return { ...state, log: [...state.log, message.log].slice(-MAX_LINES) };
    default:
      return state;
  }
}

/** The turns with one that is new or has changed; the oldest make room. */
function withTurn(turns, turn) {
  // A turn that changes is nearly always one of the newest.
  for (let index = turns.length - 1; index >= 0; index -= 1) {
    if (turns[index].id === turn.id) return turns.with(index, turn);
  }
  const all = [...turns, turn];
  return all.length > MAX_TURNS ? all.slice(all.length - MAX_TURNS) : all;
}

/**
 * The rows of a long list that are to be drawn.
 *
 * @returns {{first: number, last: number}} the index of the first one, and of the one after the
 *   last.
 */
export function visibleRows(total, rowHeight, scrollTop, height, overscan = 6) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - overscan);
  const last = Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + overscan);
  return { first: Math.min(first, last), last };
}

/** Where to scroll so that a row is fully in view: unchanged if it is already. */
export function scrolledTo(index, rowHeight, scrollTop, height) {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + rowHeight - height);
}

/** The index that a key moves to in a list; null: the key does not move. */
export function moved(key, index, total, page) {
  if (total === 0) return null;
  const last = total - 1;
  const targets = {
    ArrowDown: index + 1,
    ArrowUp: index < 0 ? last : index - 1,
    PageDown: index + page,
    PageUp: index - page,
    Home: 0,
    End: last,
  };
  return key in targets ? Math.max(0, Math.min(last, targets[key])) : null;
}

// What this user sees in place of cards, and how they are refreshed. The bot's response to an
// Action.Execute replaces the card for the user who pressed it, and for nobody else.

const views = new Map();
const refreshers = new Map();
const refreshed = new Set();

const keyOf = (activity, index) => `${activity.conversation?.id}|${activity.id}|${index}`;

/** The card that replaced `card` for this user; `card` itself if none did or the bot updated it. */
export function viewOf(activity, index, card) {
  const view = views.get(keyOf(activity, index));
  return view && view.source === JSON.stringify(card) ? view.card : card;
}

export function replaceView(activity, index, card, replacement) {
  // What a refresh returns must not start a refresh.
  isFirstShown(activity, index, replacement);
  views.set(keyOf(activity, index), { source: JSON.stringify(card), card: replacement });
}

/** Whether the card has not been refreshed by itself yet; it is from now on. */
export function isFirstShown(activity, index, card) {
  const key = `${keyOf(activity, index)}|${JSON.stringify(card)}`;
  if (refreshed.has(key)) return false;
  refreshed.add(key);
  return true;
}

/** While a card is shown, `refresh` refreshes it; returns what ends that. */
export function onRefresh(activity, index, refresh) {
  const key = keyOf(activity, index);
  refreshers.set(key, refresh);
  return () => refreshers.delete(key);
}

export function refreshCard(activity, index) {
  refreshers.get(keyOf(activity, index))?.();
}

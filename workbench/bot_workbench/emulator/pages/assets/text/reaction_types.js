/** The reactions of Teams, by their type on the wire. */
export const REACTIONS = {
  like: { symbol: "👍", label: "Like" },
  heart: { symbol: "❤️", label: "Heart" },
  laugh: { symbol: "😆", label: "Laugh" },
  surprised: { symbol: "😮", label: "Surprised" },
  sad: { symbol: "😢", label: "Sad" },
  angry: { symbol: "😠", label: "Angry" },
};

/**
 * What is shown below a message.
 *
 * @param {Array<{type: string, user: string}>} reactions of a stored message.
 * @param {string} user id of who reads.
 * @returns {Array<{type: string, count: number, mine: boolean}>} in the order of the first ones.
 */
export function reactionCounts(reactions, user) {
  const counts = new Map();
  for (const { type, user: who } of reactions ?? []) {
    const known = counts.get(type) ?? { type, count: 0, mine: false };
    counts.set(type, { type, count: known.count + 1, mine: known.mine || who === user });
  }
  return [...counts.values()];
}

/** When to try again to connect to a local server that may be starting. */

const FIRST_MS = 250;
export const CEILING_MS = 2000;

/**
 * The pause before an attempt: it doubles up to the ceiling.
 *
 * @param {number} failures attempts that have failed in a row, at least 1.
 * @param {() => number} random from 0 to 1: tabs must not all come back at once.
 * @returns {number} milliseconds.
 */
export function pauseBefore(failures, random = Math.random) {
  const whole = Math.min(CEILING_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.round(whole * (0.75 + 0.25 * random()));
}

// How long to wait before a lost connection is tried again.

const FIRST_MS = 250;
const MAX_MS = 5_000;

/**
 * The delay in ms before attempt `attempt` (0: the first after the loss). It doubles up to five
 * seconds; `random` (0 to 1) spreads the tabs of one browser over the second half of it.
 */
export function delayBefore(attempt, random = Math.random()) {
  const longest = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(longest / 2 + (longest / 2) * random);
}

/** The WebSocket URL of a path on the page's own server. */
export function socketUrl(location, path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

// Times, durations and sizes as the inspector shows them.

/** A duration in ms as short text: "0.4 ms", "12 ms", "1.24 s", "2 min 5 s". */
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "";
  if (ms < 10) return `${ms < 0.05 ? 0 : ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A number of bytes as short text: "812 B", "1.5 KB", "3.0 MB". */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_950) return `${(bytes / 1000).toFixed(1)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const two = (number) => String(number).padStart(2, "0");

/** The local time of day of epoch seconds: "14:03:07.250". */
export function clock(at) {
  if (!Number.isFinite(at)) return "";
  const time = new Date(at * 1000);
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

/** Epoch seconds in full, for tooltips and token claims: "2026-03-01 14:03:07". */
export function dateAndTime(at) {
  if (!Number.isFinite(at)) return "";
  const time = new Date(at * 1000);
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${clock(at).slice(0, 8)}`;
}

/** How far `at` is from `now` (both epoch seconds): "in 59 min", "5 s ago". */
export function distance(at, now) {
  const seconds = Math.round(Math.abs(at - now));
  const units = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const [unit, name] = units.find(([each]) => seconds >= each) ?? [1, "s"];
  const text = `${Math.floor(seconds / unit)} ${name}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

/** A count with its noun: "1 call", "3 calls". */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * A URL for a narrow column, without scheme, query, and the name of this machine; the text as it is
 * if it is no URL.
 */
export function shortUrl(url) {
  const parts = /^[a-z]+:\/\/([^/?#]+)([^?#]*)/i.exec(url ?? "");
  if (!parts) return String(url ?? "");
  const [, host, path] = parts;
  return LOOPBACK.test(host) && path ? path : `${host}${path}`;
}

/** A blob's name as the key that it stands for: names have ~2F for a slash. */
export function storedKey(name) {
  const character = (_, code) => String.fromCharCode(parseInt(code, 16));
  return String(name).replace(/~([0-9A-F]{2})/g, character);
}

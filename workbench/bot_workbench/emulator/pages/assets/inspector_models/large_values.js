// Values that the bot's process has not sent as a whole.

/**
 * What was sent of a value: {start, bytes}; null: all of it.
 *
 * @returns `start` is the beginning of its text, "" if it is no text; `bytes` is its whole size.
 */
export function remains(value) {
  if (value === null || typeof value !== "object" || Object.keys(value).length !== 1) return null;
  const { $cut: cut, $bytes: bytes } = value;
  if (typeof bytes === "number") return { start: "", bytes };
  const isCut = typeof cut?.bytes === "number" && typeof cut.start === "string";
  return isCut ? { start: cut.start, bytes: cut.bytes } : null;
}

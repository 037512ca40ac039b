// Reads JSON that a bot wrote: anything in it may be missing or of the wrong type.

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object, or an empty one. */
export function object(value) {
  return isObject(value) ? value : {};
}

/** The array, or an empty one. */
export function list(value) {
  return Array.isArray(value) ? value : [];
}

/** The array's objects. */
export function objects(value) {
  return list(value).filter(isObject);
}

/** The string, or an empty one; numbers and booleans as text. */
export function text(value) {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** JSON text as its value; other text as it is. */
export function parsed(value) {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The URL if a browser may open it in a tab or frame; else null. */
export function webUrl(value) {
  if (!URL.canParse(text(value))) return null;
  const { protocol, href } = new URL(value);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

/** The URL if it may be an image's source; else null. */
export function imageUrl(value) {
  return /^data:image\//i.test(text(value)) ? value : webUrl(value);
}

/** Whether an account of Teams is a user's: bots have other ids. */
export function isUser(account) {
  return text(object(account).id).startsWith("29:");
}

/** What a value is, in an error's text. */
export function kindOf(value) {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value === "") return "empty";
  return isObject(value) ? "an object" : `${JSON.stringify(value)}`;
}

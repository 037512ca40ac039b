// Says where JSON text is wrong, and why: browsers' own messages differ.

/**
 * Parses JSON text.
 *
 * @returns {{value: any} | {error: {message: string, line: number, column: number}}} lines and
 *   columns count from 1.
 */
export function parsed(text) {
  try {
    return { value: JSON.parse(text) };
  } catch {
    const { message, position } = firstError(text);
    return { error: { message, ...lineAndColumn(text, position) } };
  }
}

/** The line and column (from 1) of a position in a text. */
export function lineAndColumn(text, position) {
  const before = text.slice(0, position).split("\n");
  return { line: before.length, column: before.at(-1).length + 1 };
}

const TEXT = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])`;
const WORD = String.raw`(?:true|false|null)(?!\w)`;
const TOKEN = new RegExp(`[{}[\\]:,]|${TEXT}|${NUMBER}|${WORD}`, "y");

// What may come next, and what is said if something else does.
const EXPECTED = {
  value: "a value is expected",
  "first value": "a value or ] is expected",
  "first key": 'a name in double quotes or } is expected',
  key: "a name in double quotes is expected (is there a comma too many?)",
  colon: "a colon is expected after the name",
  "more of object": "a comma or } is expected",
  "more of list": "a comma or ] is expected",
  end: "nothing is expected after the value",
};

function firstError(text) {
  const open = [];
  let state = "value";
  let position = 0;
  for (;;) {
    position += /^\s*/.exec(text.slice(position))[0].length;
    if (position >= text.length) {
      if (text.trim() === "") return { message: "The text is empty.", position: 0 };
      const missing = open.map((each) => (each === "{" ? "}" : "]")).reverse().join("");
      return { message: `The text ends too early: ${missing || "a value"} is missing.`, position };
    }
    TOKEN.lastIndex = position;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return { message: broken(text, position, state), position };
    const next = after(state, token, open);
    if (next === null) return { message: `${sentence(EXPECTED[state])}.`, position };
    state = next;
    position += token.length;
  }
}

/** The state after a token; null: it may not stand here. */
function after(state, token, open) {
  const isValue = !"{}[]:,".includes(token) || token === "{" || token === "[";
  const wantsValue = state === "value" || state === "first value";
  if (wantsValue && isValue) return "{[".includes(token) ? opened(token, open) : rest(open);
  if (state === "first value" && token === "]") return closed(open);
  if (state === "first key" && token === "}") return closed(open);
  if (state === "first key" || state === "key") return token[0] === '"' ? "colon" : null;
  if (state === "colon") return token === ":" ? "value" : null;
  if (state === "more of object" && token === "}") return closed(open);
  if (state === "more of list" && token === "]") return closed(open);
  if (state === "more of object" && token === ",") return "key";
  return state === "more of list" && token === "," ? "value" : null;
}

function opened(token, open) {
  open.push(token);
  return token === "{" ? "first key" : "first value";
}

function closed(open) {
  open.pop();
  return rest(open);
}

function rest(open) {
  if (open.length === 0) return "end";
  return open.at(-1) === "{" ? "more of object" : "more of list";
}

function broken(text, position, state) {
  const found = text[position];
  if (found === '"') return "This text in quotes does not end, or has a character to escape.";
  if (found === "'") return "Use double quotes.";
  const word = /^[\w.+-]+/.exec(text.slice(position))?.[0] ?? found;
  return `${sentence(EXPECTED[state])}, not ${word}.`;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

// What the user of this tab has answered, so that a reload of the page asks nothing twice.

const KEY = "local-chat.answers";
const MAX_ANSWERS = 200;

/** The answer to a question of a message's; null: there is none yet. */
export function answerTo(question, activity, storage = sessionStorage) {
  return read(storage)[keyOf(question, activity)] ?? null;
}

/** @param {string} answer of the newest, 200 are kept. */
export function keepAnswer(question, activity, answer, storage = sessionStorage) {
  const answers = { ...read(storage), [keyOf(question, activity)]: answer };
  const newest = Object.entries(answers).slice(-MAX_ANSWERS);
  storage.setItem(KEY, JSON.stringify(Object.fromEntries(newest)));
}

function keyOf(question, { conversation, id }) {
  return [question, conversation?.id, id].join("|");
}

function read(storage) {
  try {
    return JSON.parse(storage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answerTo,
  keepAnswer,
} from "../../../../../bot_workbench/emulator/pages/assets/cards/kept_answers.js";

function memory() {
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
  };
}

const message = (id) => ({ id: String(id), conversation: { id: "c" } });

test("an answer is kept for its question of its message", () => {
  const storage = memory();
  keepAnswer("feedback", message(1), "like", storage);
  assert.equal(answerTo("feedback", message(1), storage), "like");
  assert.equal(answerTo("feedback", message(2), storage), null);
  assert.equal(answerTo("file a.txt", message(1), storage), null);
});

test("the oldest of 201 answers is forgotten", () => {
  const storage = memory();
  for (let id = 0; id <= 200; id += 1) keepAnswer("feedback", message(id), "like", storage);
  assert.equal(answerTo("feedback", message(0), storage), null);
  assert.equal(answerTo("feedback", message(1), storage), "like");
});

test("what is no JSON in the storage is no answer", () => {
  const storage = { getItem: () => "{", setItem: () => {} };
  assert.equal(answerTo("feedback", message(1), storage), null);
});

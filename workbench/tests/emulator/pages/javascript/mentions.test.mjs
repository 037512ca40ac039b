import assert from "node:assert/strict";
import { test } from "node:test";
import {
  composedDraft,
  matchingMembers,
  mentionQuery,
  mentionsIn,
  draftOf,
  withMention,
} from "../../../../bot_workbench/emulator/pages/assets/text/mentions.js";

const BOT = { id: "28:b", name: "Bot" };
const TWO = { id: "29:2", name: "User 2" };

test("an @ before the caret asks for a member", () => {
  assert.deepEqual(mentionQuery("Hi @us", 6), { query: "us", start: 3 });
  assert.deepEqual(mentionQuery("@", 1), { query: "", start: 0 });
  assert.equal(mentionQuery("me@example", 10), null);
  assert.equal(mentionQuery("@us er", 6), null);
  assert.deepEqual(mentionQuery("@us and more", 3), { query: "us", start: 0 });
});

test("members whose name starts with the query come first", () => {
  const members = [{ id: "1", name: "Another Bot" }, BOT, TWO];
  assert.deepEqual(
    matchingMembers(members, "bo").map(({ name }) => name),
    ["Bot", "Another Bot"],
  );
  assert.deepEqual(matchingMembers(members, "x"), []);
});

test("picking a member replaces the query", () => {
  const query = mentionQuery("Hi @us there", 6);
  assert.deepEqual(withMention("Hi @us there", 6, query, "User 2"), {
    text: "Hi @User 2 there",
    caret: 11,
  });
});

test("what was picked becomes a mention with its entity, what was only typed does not", () => {
  const { text, entities } = mentionsIn("@Bot ask @User 2 and @Nobody, @Botany", [BOT, TWO]);
  assert.equal(text, "<at>Bot</at> ask <at>User 2</at> and @Nobody, @Botany");
  assert.deepEqual(entities, [
    { type: "mention", mentioned: BOT, text: "<at>Bot</at>" },
    { type: "mention", mentioned: TWO, text: "<at>User 2</at>" },
  ]);
  assert.deepEqual(mentionsIn("@Bot", []), { text: "@Bot", entities: [] });
});

test("of two names that start alike, the longer one is meant", () => {
  const longer = { id: "29:20", name: "User 20" };
  assert.equal(mentionsIn("@User 20", [TWO, longer]).entities[0].mentioned.id, "29:20");
  const shorter = { id: "29:u", name: "User" };
  assert.equal(mentionsIn("@User 2", [shorter, TWO]).entities[0].mentioned.id, TWO.id);
});

test("a name with signs of patterns is a name", () => {
  const odd = { id: "29:o", name: "A.B (x)+" };
  assert.equal(mentionsIn("@A.B (x)+ hi", [odd]).text, "<at>A.B (x)+</at> hi");
  assert.equal(mentionsIn("@AxB (x)+ hi", [odd]).entities.length, 0);
});

test("a message can be edited in the form in which it was typed", () => {
  const sent = mentionsIn("@Bot hello", [BOT]);
  assert.deepEqual(draftOf(sent), { text: "@Bot hello", picked: [BOT] });
  assert.deepEqual(draftOf({}), { text: "", picked: [] });
});

test("a composed message is a draft that mentions whom it names", () => {
  const body = { content: '<p>Ask <at id="0">Bot</at> and <at id="7">Nobody</at></p>' };
  const mentions = [{ id: 0, mentionText: "Bot", mentioned: { user: { id: BOT.id } } }];
  assert.deepEqual(composedDraft({ body, mentions }), {
    text: "Ask @Bot and @Nobody",
    picked: [BOT],
  });
  assert.deepEqual(composedDraft({}), { text: "", picked: [] });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CROSSED_MS,
  EMPTY,
  isShown,
  SILENT_MS,
  STREAM_MS,
  suggesting,
  TYPING_MS,
  withChanges,
  withRestart,
  withoutDeadStreams,
  withoutTyping,
} from "../../../../bot_workbench/emulator/pages/assets/model/transcript.js";

const NOW = Date.parse("2026-03-04T10:00:00Z");
const READER = { user: "29:me", run: "r1", now: NOW };
const BOT = { id: "28:bot", name: "Bot" };
const ME = { id: "29:me", name: "User 1" };

function at(ms) {
  return new Date(NOW + ms).toISOString();
}

function message(id, from, text, more = {}) {
  return { type: "message", id, from, text, timestamp: at(0), ...more };
}

function shown(changes, reader = READER) {
  return withChanges(EMPTY, changes, reader);
}

test("a message is added once, and an update of it replaces it in its place", () => {
  const changes = [message("1", ME, "a"), message("2", BOT, "b"), message("1", ME, "c")];
  const { items } = shown(changes);
  assert.deepEqual(
    items.map(({ activity, own, edited }) => [activity.text, own, edited]),
    [
      ["c", true, true],
      ["b", false, false],
    ],
  );
});

test("an update of a card is no edit, and the server's mark is one", () => {
  const card = (version) => message("1", BOT, "", { attachments: [{ content: { version } }] });
  assert.equal(shown([card(1), card(2)]).items[0].edited, false);
  assert.equal(shown([message("1", ME, "a", { edited: true })]).items[0].edited, true);
});

test("a deleted message stays as a mark, until it is restored", () => {
  const gone = { type: "messageDelete", id: "1" };
  const deleted = shown([message("1", ME, "a"), gone]);
  assert.equal(deleted.items[0].deleted, true);
  const restored = withChanges(deleted, [message("1", ME, "a")], READER);
  assert.deepEqual([restored.items[0].deleted, restored.items[0].edited], [false, false]);
});

test("reducing changes leaves the transcript before as it was", () => {
  const before = shown([message("1", ME, "a")]);
  withChanges(before, [message("1", ME, "b"), message("2", BOT, "c")], READER);
  assert.deepEqual(
    before.items.map(({ activity }) => activity.text),
    ["a"],
  );
});

test("a typing indicator is hidden by the answer, by its time, and by the turn's end", () => {
  const typing = { type: "typing", from: BOT, replyToId: "1", timestamp: at(0) };
  const waiting = shown([message("1", ME, "a"), typing]);
  assert.equal(waiting.typing.from, BOT);
  assert.equal(withChanges(waiting, [message("2", BOT, "b")], READER).typing, null);
  assert.notEqual(withChanges(waiting, [message("2", ME, "b")], READER).typing, null);
  assert.notEqual(withoutTyping(waiting, { now: NOW + TYPING_MS - 1 }).typing, null);
  assert.equal(withoutTyping(waiting, { now: NOW + TYPING_MS }).typing, null);
  assert.equal(withoutTyping(waiting, { now: NOW, ended: "1" }).typing, null);
  assert.notEqual(withoutTyping(waiting, { now: NOW, ended: "2" }).typing, null);
});

test("no indicator of the past, of the user, or of an answer that crossed with it", () => {
  const typing = (ms, from = BOT) => ({ type: "typing", from, replyToId: "1", timestamp: at(ms) });
  const answer = message("2", BOT, "b", { replyToId: "1" });
  assert.equal(shown([typing(-TYPING_MS)]).typing, null);
  assert.equal(shown([typing(0, ME)]).typing, null);
  assert.equal(shown([answer, typing(CROSSED_MS - 1)]).typing, null);
  assert.notEqual(shown([answer, typing(CROSSED_MS)]).typing, null);
});

function part(type, streamType, text, { stopped, ...info } = {}) {
  const entities = [{ type: "streaminfo", streamType, ...info }];
  const mark = stopped ? { stopped } : {};
  return { type, id: "s1", from: BOT, text, timestamp: at(0), entities, ...mark };
}

const FURTHER = part("typing", "streaming", "It is", { streamId: "s1" });

test("a stream is one message, whose text is the newest part's, and then the final one's", () => {
  const first = shown([part("typing", "informative", "Looking…")]);
  assert.deepEqual([first.items[0].streaming, first.typing], ["informative", null]);
  const second = withChanges(
    first,
    [part("typing", "streaming", "It", { streamId: "s1" })],
    READER,
  );
  assert.deepEqual([second.items.length, second.items[0].streaming], [1, "streaming"]);
  const final = part("message", "final", "It is.", { streamId: "s1" });
  const third = withChanges(second, [final], READER);
  assert.deepEqual([third.items.length, third.items[0].streaming], [1, null]);
  assert.deepEqual([third.items[0].activity.text, third.items[0].edited], ["It is.", false]);
  const late = withChanges(third, [FURTHER], READER);
  assert.equal(late.items[0].activity.text, "It is.");
});

test("a typing indicator is shown beside a stream, until its end", () => {
  const streaming = shown([part("typing", "streaming", "It")]);
  const both = withChanges(streaming, [{ type: "typing", from: BOT, timestamp: at(0) }], READER);
  assert.notEqual(both.typing, null);
  assert.notEqual(withChanges(both, [FURTHER], READER).typing, null);
  const final = part("message", "final", "It is.", { streamId: "s1" });
  assert.equal(withChanges(both, [final], READER).typing, null);
});

test("a stream that its user has stopped has ended", () => {
  const streaming = shown([part("typing", "streaming", "It")]);
  const stopped = part("typing", "streaming", "It", { streamId: "s1", stopped: true });
  const after = withChanges(streaming, [stopped, FURTHER], READER);
  assert.deepEqual([after.items[0].streaming, after.items[0].activity.text], [null, "It"]);
});

test("a stream whose bot is silent has ended with its text so far, until the bot goes on", () => {
  const streaming = shown([part("typing", "streaming", "It")]);
  assert.equal(withoutDeadStreams(streaming, NOW + SILENT_MS), streaming);
  const dead = withoutDeadStreams(streaming, NOW + SILENT_MS + 1);
  assert.deepEqual([dead.items[0].streaming, dead.items[0].activity.text], [null, "It"]);
  assert.equal(streaming.items[0].streaming, "streaming");
  const further = withChanges(dead, [FURTHER], READER);
  assert.deepEqual([further.items[0].streaming, further.items[0].activity.text], [
    "streaming",
    "It is",
  ]);
});

test("a stream has ended after two minutes, however new its last part is", () => {
  const reader = { ...READER, now: NOW + STREAM_MS };
  const streaming = shown([part("typing", "streaming", "It")], reader);
  assert.equal(withoutDeadStreams(streaming, reader.now), streaming);
  assert.equal(withoutDeadStreams(streaming, reader.now + 1).items[0].streaming, null);
});

test("what happens to a conversation is a line, what people do not see is none", () => {
  const changes = [
    { type: "installationUpdate", id: "1", action: "add", timestamp: at(0) },
    { type: "conversationUpdate", id: "2", membersAdded: [BOT, ME], timestamp: at(0) },
    { type: "conversationUpdate", id: "3", topicName: "Lunch", timestamp: at(0) },
    { type: "trace", id: "4", timestamp: at(0) },
  ];
  assert.deepEqual(
    shown(changes).items.map(({ kind, text }) => [kind, text]),
    [
      ["event", "The app was installed"],
      ["event", "The chat is now called “Lunch”"],
    ],
  );
});

test("messages of another run of the local cloud stay, though it counts ids anew", () => {
  const before = withRestart(shown([message("1", ME, "a")]), "Restarted", NOW);
  const after = withChanges(before, [message("1", ME, "b")], { ...READER, run: "r2" });
  assert.deepEqual(
    after.items.map(({ activity, text }) => text ?? activity.text),
    ["a", "Restarted", "b"],
  );
  assert.deepEqual(
    after.items.map(({ past }) => past === true),
    [true, false, false],
  );
});

test("only the bot's last message suggests actions, and only to those whom it means", () => {
  const actions = [{ type: "imBack", title: "Yes", value: "yes" }];
  const asking = message("1", BOT, "Well?", { suggestedActions: { actions, to: ["29:me"] } });
  assert.equal(suggesting(shown([asking]), "29:me").id, "1");
  assert.equal(suggesting(shown([asking]), "29:other"), null);
  assert.equal(suggesting(shown([asking, message("2", ME, "no")]), "29:me"), null);
  assert.equal(suggesting(EMPTY, "29:me"), null);
});

test("of a button's message, people see what it shows", () => {
  const [seen, hidden] = shown([
    message("1", ME, "the value", { shown: "the title" }),
    message("2", ME, "the value", { shown: null }),
  ]).items;
  assert.deepEqual([seen.activity.text, isShown(hidden)], ["the title", false]);
});

test("a card's answer without a text is not shown", () => {
  const [submitted, text] = shown([
    message("1", ME, undefined, { value: { a: 1 } }),
    message("2", ME, "a"),
  ]).items;
  assert.deepEqual([isShown(submitted), isShown(text)], [false, true]);
});

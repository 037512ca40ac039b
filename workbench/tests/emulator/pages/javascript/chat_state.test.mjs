import assert from "node:assert/strict";
import { test } from "node:test";
import {
  initialState,
  reduce,
  RESTARTED,
} from "../../../../bot_workbench/emulator/pages/assets/model/chat_state.js";
import {
  sections,
  teams,
} from "../../../../bot_workbench/emulator/pages/assets/model/rail_sections.js";
import { statusShown } from "../../../../bot_workbench/emulator/pages/assets/model/status.js";

const USER = { id: "29:me", name: "User 1" };
const CHAT = { id: "a:1", kind: "personal", members: [USER] };
const NOW = Date.parse("2026-03-04T10:00:00Z");

function session(run, more = {}) {
  return {
    user: USER,
    conversation: CHAT,
    bot: { id: "28:b", name: "Bot" },
    people: [],
    run,
    ...more,
  };
}

function after(...actions) {
  return actions.reduce(reduce, initialState({}, []));
}

function opened(run, more = {}) {
  return { type: "opened", session: session(run, more), now: NOW };
}

function changes(...all) {
  return { type: "changes", changes: all, reached: all.length, now: NOW };
}

function message(id, more = {}) {
  return { type: "message", id, text: id, from: { id: "28:b" }, ...more };
}

function texts(state) {
  return state.transcript.items.map(({ text, activity }) => text ?? activity.text);
}

test("a lost connection changes nothing of the transcript", () => {
  const before = after(opened("r1"), { type: "hello" }, changes(message("1")));
  const lost = [{ type: "lost" }, { type: "connecting" }].reduce(reduce, before);
  assert.equal(lost.connection, "lost");
  const again = [opened("r1"), { type: "hello" }].reduce(reduce, lost);
  assert.deepEqual([again.connection, again.reached, texts(again)], ["connected", 1, ["1"]]);
});

test("a restart of the local cloud is said, and what was there stays", () => {
  const before = after(opened("r1"), changes(message("1")));
  const again = reduce(before, opened("r2"));
  assert.deepEqual([again.reached, texts(again)], [0, ["1", RESTARTED]]);
  assert.deepEqual(texts(reduce(again, changes(message("1", { text: "new" })))), [
    "1",
    RESTARTED,
    "new",
  ]);
});

test("another conversation and another user have another transcript", () => {
  const before = after(opened("r1"), changes(message("1")));
  const other = reduce(before, opened("r1", { conversation: { ...CHAT, id: "19:x" } }));
  assert.deepEqual([other.reached, texts(other)], [0, []]);
  const another = reduce(before, opened("r1", { user: { ...USER, id: "29:2" } }));
  assert.deepEqual(texts(another), []);
});

test("a conversation in the background has unread messages until it is opened", () => {
  const elsewhere = { type: "elsewhere", conversation: "19:x" };
  const state = after(opened("r1"), elsewhere, elsewhere);
  assert.equal(state.unread["19:x"], 2);
  const open = reduce(state, opened("r1", { conversation: { ...CHAT, id: "19:x" } }));
  assert.deepEqual(open.unread, {});
});

test("what came while the page was not connected is unread, too", () => {
  const state = after(opened("r1"), { type: "hello", unread: { "19:x": 3 } });
  const more = reduce(state, { type: "elsewhere", conversation: "19:x" });
  assert.deepEqual([state.unread, more.unread], [{ "19:x": 3 }, { "19:x": 4 }]);
});

test("the end of a turn hides the bot's typing indicator", () => {
  const typing = { type: "typing", from: { id: "28:b" }, replyToId: "1" };
  const state = after(opened("r1"), changes(typing));
  const delivery = (name) => ({
    type: "delivery",
    delivery: { activityId: "1", state: name },
    now: NOW,
  });
  assert.notEqual(reduce(state, delivery("pending")).transcript.typing, null);
  assert.equal(reduce(state, delivery("delivered")).transcript.typing, null);
});

test("people type until they have written, or for some seconds", () => {
  const state = after(opened("r1"), { type: "personTyping", user: "29:2", now: NOW });
  assert.deepEqual(Object.keys(state.typists), ["29:2"]);
  assert.deepEqual(reduce(state, changes(message("1", { from: { id: "29:2" } }))).typists, {});
  assert.deepEqual(reduce(state, { type: "tick", now: NOW + 60_000 }).typists, {});
  assert.equal(reduce(state, { type: "tick", now: NOW + 1 }), state);
  assert.deepEqual(
    after(opened("r1"), { type: "personTyping", user: "29:me", now: NOW }).typists,
    {},
  );
});

test("a conversation that changes is the one that is open", () => {
  const renamed = { ...CHAT, name: "New" };
  const list = { type: "conversations", conversations: [CHAT] };
  const state = after(opened("r1"), list, { type: "conversation", conversation: renamed });
  assert.deepEqual([state.conversation.name, state.conversations[0].name], ["New", "New"]);
});

test("the status says what is the case", () => {
  const shown = (state, more = {}) =>
    statusShown({ connection: "connected", status: { state, text: "why", ...more } });
  assert.deepEqual(shown("broken"), { state: "broken", label: "Bot does not load", text: "why" });
  assert.equal(shown("ready").label, "Bot is ready");
  assert.equal(
    shown("ready", { generation: 2, ms: 412.6 }).label,
    "Bot is ready, reloaded in 413 ms",
  );
  assert.equal(shown("later").state, "unknown");
  const blocked = { blocked: "bot.py:1" };
  assert.equal(shown("ready", blocked).text, "bot.py:1");
  assert.equal(shown("broken", blocked).text, "why");
  assert.equal(statusShown({ connection: "lost", status: {} }).state, "stopped");
});

test("the list has chats first, then teams with their channels", () => {
  const team = { id: "19:t", name: "Team 1" };
  const channel = (id, name) => ({ id, kind: "channel", team, channel: { id, name } });
  const group = (id, name) => ({ id, kind: "group", name });
  const all = [channel("1", "General"), CHAT, group("2", ""), group("3", ""), channel("4", "Help")];
  const found = sections(all, { name: "Bot" });
  assert.deepEqual(
    found.map(({ title, entries }) => [title, entries.map(({ name }) => name)]),
    [
      ["Chats", ["Bot", "Group chat", "Group chat (2)"]],
      ["Team 1", ["General", "Help"]],
    ],
  );
  assert.deepEqual(teams(all), [team]);
});

test("what is typed before the first conversation stays, in another one it does not", () => {
  const first = after(opened("r1"));
  const same = reduce(first, opened("r2"));
  const other = reduce(first, opened("r1", { conversation: { ...CHAT, id: "19:x" } }));
  assert.deepEqual([first.place, same.place, other.place], [0, 0, 1]);
});

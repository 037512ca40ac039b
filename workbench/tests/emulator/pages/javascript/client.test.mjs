import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError,
  UnreachableError,
} from "../../../../bot_workbench/emulator/pages/assets/chat/api.js";
import { chatClient } from "../../../../bot_workbench/emulator/pages/assets/chat/client.js";
import {
  initialState,
  reduce,
} from "../../../../bot_workbench/emulator/pages/assets/model/chat_state.js";
import { createStore } from "../../../../bot_workbench/emulator/pages/assets/model/store.js";

const USER = { id: "29:me" };
const CHAT = { id: "a:1", kind: "personal", members: [USER] };

globalThis.location = { host: "localhost:1" };

/** A local cloud of which a test says whether it is there. */
class Cloud {
  run = "r1";
  reachable = true;
  listed = true;
  sent = [];
  sessions = [];
  sockets = [];
  refuses = null;
  chat = CHAT;

  check() {
    if (!this.reachable) throw new UnreachableError();
  }

  async session(kept) {
    this.sessions.push(kept);
    this.check();
    if (kept.user?.broken) throw new ApiError(400, "'id' is not a text.");
    return {
      user: kept.user ?? USER,
      conversation: kept.conversation ?? this.chat,
      run: this.run,
    };
  }

  async conversation(id) {
    return { id, members: [{ id: "29:other" }] };
  }

  async conversations() {
    if (!this.listed) throw new UnreachableError();
    return [];
  }

  async send(activity) {
    this.check();
    if (this.refuses) throw this.refuses;
    this.sent.push(activity.text);
    return {};
  }

  open(url) {
    const listeners = new Map();
    const socket = {
      url,
      addEventListener: (name, listener) => listeners.set(name, listener),
      close() {},
      says: (message) => listeners.get("message")({ data: JSON.stringify(message) }),
      breaks: () => listeners.get("close")(),
    };
    this.sockets.push(socket);
    return socket;
  }
}

/** A client with a clock that the test moves. */
function started(t) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const cloud = new Cloud();
  const store = createStore(reduce, initialState({}, []));
  const client = chatClient(store, cloud, (url) => cloud.open(url));
  return { cloud, store, client, pass: (ms) => t.mock.timers.tick(ms) };
}

async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

test("what is typed before the page is connected is sent when it is, in order", async (t) => {
  const { cloud, store, client } = started(t);
  client.connect();
  await settled();
  client.send({ type: "message", text: "one" });
  client.send({ type: "message", text: "two" });
  await settled();
  assert.deepEqual([cloud.sent, store.state.outbox.length], [[], 2]);
  cloud.sockets[0].says({ type: "hello", run: "r1" });
  await settled();
  assert.deepEqual([cloud.sent, store.state.outbox], [["one", "two"], []]);
});

test("a message typed before there is a conversation is sent to the first one", async (t) => {
  const { cloud, client } = started(t);
  client.send({ type: "message", text: "early" });
  await client.connect();
  cloud.sockets[0].says({ type: "hello", run: "r1" });
  await settled();
  assert.deepEqual(cloud.sent, ["early"]);
});

test("a lost connection comes back by itself, with the user and the place reached", async (t) => {
  const { cloud, store, client, pass } = started(t);
  await client.connect();
  cloud.sockets[0].says({ type: "hello", run: "r1" });
  cloud.sockets[0].says({ type: "changes", changes: [], reached: 7 });
  cloud.sockets[0].breaks();
  assert.equal(store.state.connection, "lost");
  pass(2000);
  await settled();
  assert.equal(cloud.sessions.at(-1).user.id, USER.id);
  assert.match(cloud.sockets[1].url, /after=7/);
});

test("a connection that breaks before its greeting is opened anew", async (t) => {
  const { cloud, store, client, pass } = started(t);
  await client.connect();
  cloud.sockets[0].breaks();
  assert.equal(store.state.connection, "lost");
  pass(2000);
  await settled();
  assert.equal(cloud.sockets.length, 2);
});

test("a connection that is lost in two ways is opened anew once", async (t) => {
  const { cloud, client, pass } = started(t);
  const pauses = [1, 1, 1, 1, 0];
  t.mock.method(Math, "random", () => pauses.shift());
  Object.assign(cloud, { reachable: false, listed: false });
  client.connect();
  for (const pause of [250, 500, 1000]) {
    await settled();
    cloud.reachable = pause === 1000;
    pass(pause);
  }
  await settled();
  cloud.sockets[0].breaks();
  cloud.listed = true;
  for (const wait of [1500, 500]) {
    pass(wait);
    await settled();
  }
  assert.equal(cloud.sockets.length, 2);
});

test("a stopped cloud is asked every two seconds at most", async (t) => {
  const { cloud, client, pass } = started(t);
  cloud.reachable = false;
  client.connect();
  for (let second = 0; second < 20; second += 1) {
    await settled();
    pass(1000);
  }
  await settled();
  assert.ok(
    cloud.sessions.length >= 8 && cloud.sessions.length <= 20,
    String(cloud.sessions.length),
  );
});

test("a message that the cloud did not get waits, one that it refuses says why", async (t) => {
  const { cloud, store, client, pass } = started(t);
  await client.connect();
  cloud.sockets[0].says({ type: "hello", run: "r1" });
  cloud.reachable = false;
  client.send({ type: "message", text: "one" });
  await settled();
  assert.equal(store.state.outbox[0].state, "waiting");
  cloud.reachable = true;
  pass(2000);
  await settled();
  assert.deepEqual([cloud.sent, store.state.outbox], [["one"], []]);
  cloud.refuses = new Error("Too large.");
  client.send({ type: "message", text: "two" });
  await settled();
  const [{ state, reason, clientId }] = store.state.outbox;
  assert.deepEqual([state, reason], ["failed", "Too large."]);
  cloud.refuses = null;
  client.again(clientId);
  await settled();
  assert.deepEqual(cloud.sent, ["one", "two"]);
});

test("a user who was removed gets their own chat with the bot, and learns why", async (t) => {
  const { cloud, store, client } = started(t);
  cloud.chat = { ...CHAT, id: "19:x", name: "Lunch", members: [USER] };
  await client.connect();
  cloud.sockets[0].says({ type: "hello", run: "r1" });
  const gone = { ...cloud.chat, members: [] };
  cloud.chat = CHAT;
  cloud.sockets[0].says({ type: "conversation", conversation: gone });
  await settled();
  assert.equal(store.state.conversation.id, CHAT.id);
  assert.match(store.state.notice.text, /Lunch/);
});

test("an old socket of another conversation changes nothing", async (t) => {
  const { cloud, store, client } = started(t);
  await client.connect();
  cloud.sockets[0].says({ type: "hello", run: "r1" });
  await client.connect({ conversation: { ...CHAT, id: "19:x" } });
  assert.equal(store.state.connection, "connecting");
  cloud.sockets[0].says({ type: "changes", changes: [{ type: "message", id: "1" }], reached: 1 });
  cloud.sockets[0].breaks();
  assert.deepEqual(store.state.transcript.items, []);
  cloud.sockets[1].says({ type: "hello", run: "r1" });
  cloud.sockets[0].breaks();
  assert.equal(store.state.connection, "connected");
});

test("of two conversations that are opened at once, the later one is", async (t) => {
  const { cloud, store, client } = started(t);
  await client.connect();
  let answer;
  const slow = new Promise((resolve) => {
    answer = resolve;
  });
  const usual = cloud.session.bind(cloud);
  cloud.session = (kept) =>
    kept.conversation.id === "19:slow" ? slow.then(() => usual(kept)) : usual(kept);
  client.connect({ conversation: { ...CHAT, id: "19:slow" } });
  await client.connect({ conversation: { ...CHAT, id: "19:fast" } });
  answer();
  await settled();
  assert.equal(store.state.conversation.id, "19:fast");
  assert.match(cloud.sockets.at(-1).url, /fast/);
});

test("what waits is sent in its own conversation only", async (t) => {
  const { cloud, client } = started(t);
  await client.connect();
  client.send({ type: "message", text: "for the chat" });
  const chat = { ...CHAT };
  await client.connect({ conversation: { ...CHAT, id: "19:x" } });
  cloud.sockets.at(-1).says({ type: "hello", run: "r1" });
  await settled();
  assert.deepEqual(cloud.sent, []);
  await client.connect({ conversation: chat });
  cloud.sockets.at(-1).says({ type: "hello", run: "r1" });
  await settled();
  assert.deepEqual(cloud.sent, ["for the chat"]);
});

test("a kept session that the server does not take is given up", async (t) => {
  const { cloud, store, client } = started(t);
  store.dispatch({
    type: "opened",
    session: { user: { ...USER, broken: true }, conversation: CHAT, run: "r0" },
    now: 0,
  });
  await client.connect();
  await settled();
  assert.deepEqual(cloud.sessions.at(-1), {});
  assert.equal(store.state.run, "r1");
});

test("a conversation of somebody else is opened as one of its members", async (t) => {
  const { cloud, store, client } = started(t);
  await client.connect();
  await client.visit("19:x");
  const { user, conversation } = cloud.sessions.at(-1);
  assert.deepEqual([user.id, conversation.id], ["29:other", "19:x"]);
  assert.equal(store.state.conversation.id, "19:x");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EMPTY_DRAFT,
  keepDraft,
  keptDraft,
} from "../../../../bot_workbench/emulator/pages/assets/model/draft.js";
import {
  keepPanel,
  keptPanel,
  panelWidth,
} from "../../../../bot_workbench/emulator/pages/assets/model/panel_place.js";
import {
  keepSession,
  keptSession,
} from "../../../../bot_workbench/emulator/pages/assets/model/session.js";
import {
  applyScheme,
  chosenScheme,
  nextScheme,
} from "../../../../bot_workbench/emulator/pages/assets/shared/color_scheme.js";

function storage(entries = {}) {
  const kept = new Map(Object.entries(entries));
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
}

const REFUSING = {
  getItem() {
    throw new Error("SecurityError");
  },
  setItem() {
    throw new Error("SecurityError");
  },
};

test("a tab keeps its user and its conversation", () => {
  const kept = storage();
  const session = { user: { id: "29:1" }, conversation: { id: "a:1" }, singleSignOn: true };
  keepSession(kept, session);
  assert.deepEqual(keptSession(kept), session);
});

test("what is no session is none", () => {
  const none = { user: undefined, conversation: undefined, singleSignOn: false };
  assert.deepEqual(keptSession(storage()), none);
  assert.deepEqual(keptSession(storage({ "local-chat.session": "{" })), {});
  assert.deepEqual(keptSession(storage({ "local-chat.session": '{"user":7}' })), none);
  assert.deepEqual(keptSession(REFUSING), {});
  keepSession(REFUSING, {});
});

test("a draft is kept for each conversation until it is sent, with whom it mentions", () => {
  const kept = storage();
  const draft = { text: "hel", picked: [{ id: "28:b", name: "Bot" }] };
  keepDraft(kept, "a:1", draft);
  assert.deepEqual([keptDraft(kept, "a:1"), keptDraft(kept, "a:2")], [draft, EMPTY_DRAFT]);
  keepDraft(kept, "a:1", EMPTY_DRAFT);
  assert.equal(keptDraft(kept, "a:1"), EMPTY_DRAFT);
  keepDraft(REFUSING, "a:1", draft);
  assert.equal(keptDraft(REFUSING, "a:1"), EMPTY_DRAFT);
});

test("the inspector's panel is as wide as before, but leaves the chat its room", () => {
  const kept = storage();
  assert.deepEqual(keptPanel(kept), { open: false, width: 480 });
  keepPanel(kept, { open: true, width: 700 });
  assert.deepEqual(keptPanel(kept), { open: true, width: 700 });
  assert.deepEqual(
    [panelWidth(700, 1200), panelWidth(700, 900), panelWidth(10, 900)],
    [700, 540, 320],
  );
});

test("colors go from the system's to light, to dark, and back", () => {
  assert.equal(chosenScheme(storage({ "local-pages.theme": "pink" })), "system");
  assert.equal(chosenScheme(REFUSING), "system");
  assert.deepEqual(["system", "light", "dark"].map(nextScheme), ["light", "dark", "system"]);
  const root = { dataset: {} };
  applyScheme(root, "dark");
  assert.equal(root.dataset.theme, "dark");
  applyScheme(root, "system");
  assert.deepEqual(root.dataset, {});
});

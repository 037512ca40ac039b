import assert from "node:assert/strict";
import { test } from "node:test";
import { openSignIn } from "../../../../bot_workbench/emulator/pages/assets/chat/sign_in.js";

test("only web pages open for a sign-in", () => {
  const opened = [];
  const failures = [];
  globalThis.open = (url) => opened.push(url);
  for (const link of ["javascript:alert(1)", "data:text/html,x", "none", undefined]) {
    openSignIn(link, {}, undefined, (text) => failures.push(text));
  }
  assert.deepEqual([opened, failures.length], [[], 4]);
  const link = "http://localhost:1/api/oauth/signin?signin=1";
  openSignIn(link, {});
  assert.deepEqual(opened, [link]);
});

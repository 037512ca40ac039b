import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isOwn,
  ownFirst,
  parsedTraceback,
  shortFile,
  splitText,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/traceback.js";

const TEXT = `Traceback (most recent call last):
The bot's own code:
  File "/home/dev/project/bot_logic/bot.py", line 109, in on_message_activity
    total = price(name)
            ^^^^^^^^^^^
Other frames:
  File "/venv/lib/python3.13/site-packages/botbuilder/core/handler.py", line 66, in on_turn
    await self.on_message_activity(turn_context)
KeyError: 'blue'
which led to:
  File "/home/dev/project/cloud_adapter/adapter.py", line 20, in run
ValueError: no price
    of the second line`;

test("frames have file, line, function and code; errors are named", () => {
  const { frames, errors, summary } = parsedTraceback(TEXT);
  assert.deepEqual(
    frames.map((each) => [shortFile(each.file), each.line, each.function, each.own]),
    [
      ["bot_logic/bot.py", 109, "on_message_activity", true],
      ["botbuilder/core/handler.py", 66, "on_turn", false],
      ["cloud_adapter/adapter.py", 20, "run", false],
    ],
  );
  assert.deepEqual(frames[0].code, ["total = price(name)"]);
  assert.deepEqual(errors, ["KeyError: 'blue'", "ValueError: no price\nof the second line"]);
  assert.equal(summary, errors[1]);
});

test("the reader's own frames come first, in call order", () => {
  const frames = [{ own: false, n: 1 }, { own: true, n: 2 }, { own: true, n: 3 }];
  assert.deepEqual(
    ownFirst(frames).map((each) => each.n),
    [2, 3, 1],
  );
});

test("own files are the bot's, wherever its folder is, on Windows, too", () => {
  const own = [
    "C:\\work\\bot_logic\\bot.py",
    "/x/examples/dialog/bot.py",
    "/my/bot_logic/auth/a.py",
  ];
  for (const file of own) assert.equal(isOwn(file), true, file);
  const others = [
    "/x/site-packages/bot_logic/bot.py",
    "/usr/lib/python3.13/asyncio/tasks.py",
    "C:\\Python313\\Lib\\asyncio\\tasks.py",
    "<frozen importlib._bootstrap>",
    "/x/cloud_adapter/adapter.py",
    "/x/function_app.py",
    "/x/workbench/bot_workbench/app_process.py",
  ];
  for (const file of others) assert.equal(isOwn(file), false, file);
});

test("a log line's text is split from the traceback below it", () => {
  const heading = "Traceback (most recent call last):";
  const line = `The turn failed\n${heading}\n  File "a.py", line 1, in f\nE: x`;
  const { text, traceback } = splitText(line);
  assert.equal(text, "The turn failed");
  assert.equal(parsedTraceback(traceback).errors[0], "E: x");
  assert.deepEqual(splitText("a\nb"), { text: "a\nb", traceback: "" });
});

test("frames below their heading are others, wherever they are", () => {
  const moved = TEXT.replace("/home/dev/project/bot_logic/", "/my/bot/");
  const { frames } = parsedTraceback(moved.replace("/venv/lib/python3.13/site-packages/", "/my/"));
  assert.deepEqual(
    frames.map((each) => each.own),
    [true, false, false],
  );
});

test("a text without frames has none", () => {
  assert.deepEqual(parsedTraceback("something else").frames, []);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  lineAndColumn,
  parsed,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/json_syntax.js";

const problem = (text) => {
  const { error } = parsed(text);
  return `${error.line}:${error.column} ${error.message}`;
};

test("valid JSON has a value and no error", () => {
  for (const text of ["{}", "[]", "1", " null ", '{"a": [1, -2.5e3, "\\u00e9\\n", true]}']) {
    assert.deepEqual(parsed(text), { value: JSON.parse(text) });
  }
});

test("an error says where it is and what is missing", () => {
  const problems = {
    "": "1:1 The text is empty.",
    '{"a": 1,}': "1:9 A name in double quotes is expected (is there a comma too many?).",
    '{"a" 1}': "1:6 A colon is expected after the name.",
    '{"a": 1\n "b": 2}': "2:2 A comma or } is expected.",
    "[1 2]": "1:4 A comma or ] is expected.",
    "[1,\n\n  ]": "3:3 A value is expected.",
    '{"a": {"b": [1': "1:15 The text ends too early: ]}} is missing.",
    "{'a': 1}": "1:2 Use double quotes.",
    '{"a": tru}': "1:7 A value is expected, not tru.",
    "[01]": "1:2 A value or ] is expected, not 01.",
    '{"a": "no end}': "1:7 This text in quotes does not end, or has a character to escape.",
    '{"a": "x\ny"}': "1:7 This text in quotes does not end, or has a character to escape.",
    "{}}": "1:3 Nothing is expected after the value.",
    ",": "1:1 A value is expected.",
  };
  for (const [text, expected] of Object.entries(problems)) assert.equal(problem(text), expected);
});

test("whatever JSON.parse refuses has a place", () => {
  const text = '{"a": [1, {"b": null}, "x"], "c": -1.5}';
  for (let at = 0; at <= text.length; at += 1) {
    for (const change of ["", "x", ",", "}", "]", '"', "\n", "\\"]) {
      const changed = text.slice(0, at) + change + text.slice(at + 1);
      const { error } = parsed(changed);
      if (error) assert.ok(error.line >= 1 && error.column >= 1 && error.message, changed);
    }
  }
});

test("lines and columns count from one", () => {
  assert.deepEqual(lineAndColumn("ab\ncd", 4), { line: 2, column: 2 });
});

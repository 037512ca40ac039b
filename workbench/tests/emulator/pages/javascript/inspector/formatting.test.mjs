import assert from "node:assert/strict";
import { test } from "node:test";

import {
  clock,
  count,
  dateAndTime,
  distance,
  duration,
  shortUrl,
  size,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/formatting.js";

test("a duration is short, and never rounds up into the wrong unit", () => {
  const short = [0, 0.04, 0.05, 9.94, 9.96, 12.4, 999.4];
  assert.deepEqual(
    [...short, 999.5, 1240, 9_994, 9_995, 59_949, 125_000].map(duration),
    [
      ...["0 ms", "0 ms", "0.1 ms", "9.9 ms", "10.0 ms", "12 ms", "999 ms"],
      ...["1.00 s", "1.24 s", "9.99 s", "10.0 s", "59.9 s", "2 min 5 s"],
    ],
  );
  assert.equal(duration(null), "");
  assert.equal(duration(NaN), "");
});

test("a size has one decimal from a kilobyte on", () => {
  const sizes = [0, 999, 1000, 1549, 999_949, 999_950, 2_000_000];
  const texts = ["0 B", "999 B", "1.0 KB", "1.5 KB", "999.9 KB", "1.0 MB", "2.0 MB"];
  assert.deepEqual(sizes.map(size), texts);
});

test("a time of day is local and has milliseconds", () => {
  const at = new Date(2026, 2, 1, 4, 3, 7, 50).getTime() / 1000;
  assert.equal(clock(at), "04:03:07.050");
  assert.equal(dateAndTime(at), "2026-03-01 04:03:07");
  assert.equal(clock(undefined), "");
  assert.equal(dateAndTime(NaN), "");
});

test("a distance says which way", () => {
  assert.equal(distance(3600, 0), "in 1 h");
  assert.equal(distance(0, 125), "2 min ago");
  assert.equal(distance(0, 0), "0 s ago");
  assert.equal(distance(3 * 86_400, 0), "in 3 d");
});

test("a count has its noun", () => {
  assert.equal(count(1, "call"), "1 call");
  assert.equal(count(0, "retry", "retries"), "0 retries");
});

test("a URL loses its scheme, its query and this machine's name, another text stays", () => {
  assert.equal(shortUrl("https://api.example.com/v3/a?b=c#d"), "api.example.com/v3/a");
  assert.equal(shortUrl("https://localhost:44/v3/a?b=c#d"), "/v3/a");
  assert.equal(shortUrl("http://127.0.0.1:10000"), "127.0.0.1:10000");
  assert.equal(shortUrl("https://localhost.example.com/a"), "localhost.example.com/a");
  assert.equal(shortUrl("/v3/conversations"), "/v3/conversations");
  assert.equal(shortUrl(undefined), "");
});

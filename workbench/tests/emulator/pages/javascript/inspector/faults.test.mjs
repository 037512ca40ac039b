import assert from "node:assert/strict";
import { test } from "node:test";

import {
  faultsOf,
  faultText,
  isFaulty,
  isOn,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/faults.js";

const service = (faults, running = true) => ({ name: "connector", running, faults });

test("faults are said in a few words", () => {
  assert.equal(faultText(service({})), "");
  assert.equal(faultText(service({}, false)), "stopped");
  assert.equal(
    faultText(service({ status: 429, retry_after: 2, remaining: 3 })),
    "answers 429, Retry-After 2, 3 more",
  );
  assert.equal(faultText(service({ latency: 3, every: 2 })), "3 s late, every 2nd request");
  assert.equal(
    faultText(service({ cut: true, every: 11, path: "/v3" })),
    "cuts connections, every 11th request, only /v3",
  );
  assert.equal(
    faultText(service({ status: 503, html: true, handled: true })),
    "answers 503, with a web page, after the request is carried out",
  );
  const garbage = service({ status: 200, body: "{" });
  assert.equal(faultText(garbage), "answers 200, with a body of its own");
  assert.equal(faultText(service({ status: 429, remaining: 0 })), "");
});

test("a service is faulty if it is stopped or has faults, unless they are used up", () => {
  assert.equal(isFaulty(service({})), false);
  assert.equal(isFaulty(service({}, false)), true);
  assert.equal(isFaulty(service({ status: 500 })), true);
  assert.equal(isFaulty(service({ status: 500, remaining: 0 })), false);
});

test("a preset is on if exactly its faults are, however many requests remain", () => {
  const preset = { faults: { status: 429, remaining: 3 } };
  assert.equal(isOn(preset, service({ status: 429, remaining: 1 })), true);
  assert.equal(isOn(preset, service({ status: 429, remaining: 0 })), false);
  assert.equal(isOn(preset, service({ status: 429 })), false);
  assert.equal(isOn(preset, service({ status: 429, remaining: 2, cut: true })), false);
  assert.equal(isOn({ faults: {} }, service({})), false);
});

test("a form's texts become switches; what is empty is left out", () => {
  const numbers = { status: "503", latency: "0.5", retry_after: "2" };
  const form = { ...numbers, path: "", silent: false, cut: true };
  const faults = { latency: 0.5, status: 503, retry_after: 2, cut: true };
  assert.deepEqual(faultsOf(form), faults);
  const date = "Wed, 21 Oct 2026 07:28:00 GMT";
  assert.deepEqual(faultsOf({ retry_after: date }), { retry_after: date });
  assert.deepEqual(faultsOf({ status: "" }), {});
});

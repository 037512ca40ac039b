// Where the parts of a turn stand on its time axis.

import { storedKey } from "./formatting.js";

const MAX_DEPTH = 5;
const STORED_ALREADY = [404, 409, 412];
const SIGNED_IN_PATH = "/api/usertoken/GetToken";

/**
 * The rows of a turn's waterfall, in the order in which they begin.
 *
 * @param turn details of a turn: at (epoch seconds), ms, spans, calls, state, queue, replies.
 * @returns {{totalMs: number, ticks: number[], rows: object[]}} Each row has label, detail, kind
 *   ("turn", "span", "call", "state", "queue"), startMs, ms, left and width (fractions of the
 *   axis), depth (within how many spans it is, at most 5), failed, and parts: a call's attempts,
 *   each with left, width and failed.
 */
export function waterfall(turn) {
  const rows = [...spans(turn), ...calls(turn), ...states(turn), ...queue(turn)];
  const begins = rows.map((row) => row.at).filter(Number.isFinite);
  const start = Math.min(turn.at ?? Infinity, ...begins);
  const whole = { label: "Turn", kind: "turn", at: turn.at, ms: turn.ms ?? 0 };
  const all = [whole, ...rows.filter((row) => Number.isFinite(row.at)).sort(byTime)];
  for (const row of all) row.startMs = Math.max(0, (row.at - start) * 1000);
  const ends = all.map((row) => row.startMs + row.ms);
  const totalMs = Math.max(1, ...ends);
  nest(all);
  return { totalMs, ticks: ticks(totalMs), rows: all.map((row) => placed(row, start, totalMs)) };
}

// A span names the one that it is part of; anything else is within the spans that run meanwhile.
// Clocks are coarse: a row may end a little later than the span that it belongs to.
function nest(rows) {
  const depths = new Map();
  const around = [];
  for (const row of rows) {
    while (around.length > 0 && endOf(around.at(-1)) + 0.05 < endOf(row)) around.pop();
    const parent = depths.get(row.parent);
    row.depth = Math.min(MAX_DEPTH, parent === undefined ? around.length : parent + 1);
    if (row.kind !== "span") continue;
    depths.set(row.label, row.depth);
    around.push(row);
  }
}

const endOf = (row) => row.startMs + row.ms;

const byTime = (one, other) => one.at - other.at || other.ms - one.ms;

// A bar that is too short to see is drawn as a hairline by the style; it never leaves the axis.
function placed(row, start, totalMs) {
  const place = (startMs, ms) => {
    const left = Math.min(1, startMs / totalMs);
    return { left, width: Math.min(1 - left, ms / totalMs) };
  };
  const parts = (row.attempts ?? []).map((attempt) => {
    const startMs = Math.max(0, (attempt.at - start) * 1000);
    return { ...place(startMs, attempt.ms ?? 0), failed: attemptFailed(attempt, row) };
  });
  return { ...row, ...place(row.startMs, row.ms), parts };
}

/**
 * Whether an attempt of a call has no response, or one that is an error. Storage says by some
 * statuses what it has, and the token service by 404 that nobody has signed in: callers ask for it.
 */
export function attemptFailed(attempt, { purpose, url } = {}) {
  if (purpose === "storage" && STORED_ALREADY.includes(attempt.status)) return false;
  if (attempt.status === 404 && url?.includes(SIGNED_IN_PATH)) return false;
  return Boolean(attempt.error) || attempt.status >= 400;
}

function spans(turn) {
  return (turn.spans ?? []).map((span) => ({
    label: span.name,
    kind: "span",
    parent: span.parent ?? undefined,
    at: span.at,
    ms: span.ms ?? 0,
  }));
}

function calls(turn) {
  return (turn.calls ?? []).map((call) => {
    const attempts = call.attempts ?? [];
    const last = attempts.at(-1);
    return {
      label: call.purpose || `${call.method} call`,
      detail: `${call.method} ${call.url}`,
      kind: "call",
      id: call.id,
      purpose: call.purpose,
      url: call.url,
      at: call.at ?? attempts[0]?.at,
      ms: call.ms ?? 0,
      status: last?.status ?? last?.error ?? null,
      failed: last ? attemptFailed(last, call) : false,
      attempts,
    };
  });
}

function states(turn) {
  return (turn.state ?? []).map((one) => ({
    label: `${one.op} state`,
    detail: storedKey(one.key),
    kind: "state",
    at: one.at,
    ms: one.ms ?? 0,
  }));
}

// A step is reported when it is done; a drain's time is how long the activity had waited for it.
function queue(turn) {
  return (turn.queue ?? []).map((step) => ({
    label: String(step.step).replaceAll("_", " "),
    detail: typeof step.detail === "string" ? step.detail : "",
    kind: "queue",
    at: step.at - (step.ms ?? 0) / 1000,
    ms: step.ms ?? 0,
  }));
}

/** Three to seven round values from 0 to a duration, in ms. */
export function ticks(totalMs) {
  const rough = totalMs / 5;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = magnitude * [1, 2, 5, 10].find((each) => each * magnitude >= rough);
  const count = Math.floor(totalMs / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** A row as a sentence, for screen readers. */
export function spoken(row, duration) {
  const parts = [row.label];
  if (row.detail) parts.push(row.detail);
  if (row.status !== null && row.status !== undefined) parts.push(`status ${row.status}`);
  if (row.parts?.length > 1) parts.push(`${row.parts.length} attempts`);
  return `${parts.join(", ")}: starts at ${duration(row.startMs)}, takes ${duration(row.ms)}`;
}

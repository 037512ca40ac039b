/** The rows of the message list: days, groups of messages of one sender, events and threads. */

import { daysBetween } from "../text/times.js";
import { isShown } from "./transcript.js";

/** Messages of one sender that are closer together are one group. */
export const GROUP_MS = 5 * 60 * 1000;

/**
 * The rows for items of a transcript.
 *
 * @param {Array} items as model/transcript.js keeps them, oldest first.
 * @param {string} lastRead key of the last item that was read; undefined: all were.
 * @returns {Array} `{kind: "day", key, date}`, `{kind: "event", key, item}`,
 *   `{kind: "unread", key}` and `{kind: "group", key, from, own, date, items}`.
 */
export function rowsOf(items, lastRead = undefined) {
  const rows = [];
  let day = null;
  let group = null;
  for (const item of items) {
    const date = new Date(item.at);
    if (!isShown(item)) continue;
    if (day === null || daysBetween(day, date) !== 0) {
      rows.push({ kind: "day", key: `day-${item.key}`, date });
      day = date;
      group = null;
    }
    if (item.kind === "event") {
      rows.push({ kind: "event", key: item.key, item, date });
      group = null;
    } else if (group !== null && belongs(group, item, date)) {
      group.items.push(item);
      group.last = date;
    } else {
      group = { kind: "group", key: item.key, own: item.own, date, last: date, items: [item] };
      group.from = item.activity.from ?? {};
      rows.push(group);
    }
    if (item.key === lastRead && item !== items.at(-1)) {
      rows.push({ kind: "unread", key: "unread" });
      group = null;
    }
  }
  return rows;
}

function belongs(group, item, date) {
  return group.from.id === item.activity.from?.id && date - group.last < GROUP_MS;
}

/**
 * The rows of a channel: each thread stands where its first message does.
 *
 * @returns {Array} events and days as above, and `{kind: "thread", key, thread, rows}`.
 */
export function threadRowsOf(items) {
  const threads = new Map();
  const rows = [];
  let day = null;
  for (const item of items) {
    if (!isShown(item)) continue;
    const { thread } = item.activity;
    if (thread && threads.has(thread)) {
      threads.get(thread).push(item);
      continue;
    }
    const date = new Date(item.at);
    if (day === null || daysBetween(day, date) !== 0) {
      rows.push({ kind: "day", key: `day-${item.key}`, date });
      day = date;
    }
    if (!thread) {
      rows.push(...rowsOf([item]).slice(1));
      continue;
    }
    threads.set(thread, [item]);
    rows.push({ kind: "thread", key: `thread-${item.key}`, thread });
  }
  return rows.map((row) =>
    row.kind === "thread" ? { ...row, rows: rowsOf(threads.get(row.thread)).slice(1) } : row,
  );
}

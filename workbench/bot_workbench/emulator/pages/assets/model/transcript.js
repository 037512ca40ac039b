/** The transcript of a conversation, from the changes that the server sends. */

import { eventText } from "./event_texts.js";
import { streamOf } from "./streams.js";

/**
 * How long a typing indicator is shown when no message follows: three seconds by the activity
 * schema (A6000), and some more because bots repeat it a little late.
 */
export const TYPING_MS = 3500;

/** An indicator that arrives this soon after the answer was sent before it. */
export const CROSSED_MS = 250;

/** The time limit of a stream in Teams. */
export const STREAM_MS = 120_000;

/**
 * A stream whose bot has been silent for this long has no bot any more: Microsoft 365 Copilot ends
 * it then (microsoft/Agents-for-net 958). What Teams does before the time limit is not known.
 */
export const SILENT_MS = 45_000;

export const EMPTY = Object.freeze({ items: [], typing: null, answered: {} });

/**
 * An item is `{key, id, kind: "message"|"event", activity, at, own, edited, deleted, streaming,
 * heard?, abandoned?, past?, text?}`: `at` is epoch milliseconds, `streaming` is null,
 * "informative" or "streaming"; of a stream, `heard` is when its newest part came, and `abandoned`
 * is true when nothing has come for too long; `past` items are of a run of the local cloud that has
 * ended. The server adds `reactions`, `edited`, `stopped` and `thread` to the activities.
 *
 * @param {object} transcript EMPTY, or what this function returned.
 * @param {Array} changes activities as added or updated, and `messageDelete`, in order.
 * @param {{user: string, run: string, now: number}} reader whose messages are their own; the run
 *   of the local cloud, which starts to count ids anew; epoch milliseconds.
 */
export function withChanges(transcript, changes, reader) {
  let next = { ...transcript, items: [...transcript.items], answered: { ...transcript.answered } };
  for (const change of changes) next = withChange(next, change, reader);
  return next;
}

function withChange(transcript, change, reader) {
  const stream = streamOf(change);
  if (stream !== null) return withStream(transcript, change, stream, reader);
  switch (change.type) {
    case "message":
      return withMessage(transcript, change, reader);
    case "messageDelete":
      return changed(transcript, reader, change.id, { deleted: true });
    case "typing":
      return withTyping(transcript, change, reader);
    default:
      return withEvent(transcript, change, reader);
  }
}

function keyOf(reader, id) {
  return `${reader.run}:${id}`;
}

function sentAt(activity, reader) {
  const at = Date.parse(activity.timestamp ?? "");
  return Number.isNaN(at) ? reader.now : at;
}

/** A button may send another text than the one that people see; null: they see none. */
function asShown(activity) {
  return "shown" in activity ? { ...activity, text: activity.shown ?? "" } : activity;
}

function withMessage(transcript, stored, reader) {
  const activity = asShown(stored);
  const key = keyOf(reader, activity.id);
  const index = transcript.items.findIndex((item) => item.key === key);
  const own = activity.from?.id === reader.user;
  const answered = own ? transcript.answered : withAnswer(transcript.answered, activity, reader);
  const typing = own ? transcript.typing : null;
  if (index < 0) {
    const item = newItem(key, "message", activity, reader);
    transcript.items.push(item);
    return { ...transcript, typing, answered };
  }
  const before = transcript.items[index];
  const edited = activity.edited === true || before.edited || isEdit(before, activity);
  transcript.items[index] = { ...before, activity, edited, deleted: false, streaming: null };
  return { ...transcript, typing, answered };
}

/** Bots also update a message to replace its card: that is no edit of what it says. */
function isEdit(before, activity) {
  return (before.activity.text ?? "") !== (activity.text ?? "");
}

function newItem(key, kind, activity, reader) {
  return {
    key,
    id: activity.id,
    kind,
    activity,
    at: sentAt(activity, reader),
    own: activity.from?.id === reader.user,
    edited: activity.edited === true,
    deleted: false,
    streaming: null,
  };
}

function changed(transcript, reader, id, differences) {
  const key = keyOf(reader, id);
  const items = transcript.items.map((item) =>
    item.key === key ? { ...item, ...differences } : item,
  );
  return { ...transcript, items };
}

function withTyping(transcript, activity, reader) {
  const until = sentAt(activity, reader) + TYPING_MS;
  const own = activity.from?.id === reader.user;
  // After a reload, the indicators of the past come again.
  if (own || until <= reader.now) return transcript;
  const answeredAt = transcript.answered[activity.replyToId] ?? 0;
  if (sentAt(activity, reader) - answeredAt < CROSSED_MS) return transcript;
  return { ...transcript, typing: { from: activity.from, to: activity.replyToId, until } };
}

function withAnswer(answered, activity, reader) {
  const { replyToId } = activity;
  return replyToId ? { ...answered, [replyToId]: sentAt(activity, reader) } : answered;
}

function withEvent(transcript, activity, reader) {
  const text = eventText(activity, reader.user);
  if (text === "") return transcript;
  const key = keyOf(reader, activity.id ?? `${activity.type}-${transcript.items.length}`);
  if (transcript.items.some((item) => item.key === key)) return transcript;
  transcript.items.push({ ...newItem(key, "event", activity, reader), text });
  return transcript;
}

/**
 * Each part of a stream has the whole text so far; the final one is the message. A typing indicator
 * beside it stays until then, as in Teams.
 */
function withStream(transcript, activity, { id, state }, reader) {
  const key = keyOf(reader, id);
  const typing = state === null ? null : transcript.typing;
  const index = transcript.items.findIndex((item) => item.key === key);
  const part = { streaming: state, heard: reader.now, abandoned: false };
  if (index < 0) {
    const item = { ...newItem(key, "message", activity, reader), ...part };
    item.id = state === null ? activity.id : id;
    transcript.items.push(item);
    return { ...transcript, typing };
  }
  const before = transcript.items[index];
  // A part that was late: the stream has ended.
  if (before.streaming === null && !before.abandoned && state !== null) return transcript;
  const messageId = state === null ? activity.id : before.id;
  transcript.items[index] = { ...before, ...part, id: messageId, activity };
  return { ...transcript, typing };
}

/** With the streams ended whose bot does not go on: their text so far stays. */
export function withoutDeadStreams(transcript, now) {
  const isDead = ({ streaming, at, heard }) =>
    streaming && (now - at > STREAM_MS || now - heard > SILENT_MS);
  if (!transcript.items.some(isDead)) return transcript;
  const items = transcript.items.map((item) =>
    isDead(item) ? { ...item, streaming: null, abandoned: true } : item,
  );
  return { ...transcript, items };
}

/** Whether a message has something to show: a card's answer has neither text nor attachments. */
export function isShown({ kind, activity, streaming, deleted }) {
  if (kind !== "message" || streaming || deleted) return true;
  return Boolean(activity.text) || (activity.attachments ?? []).some(hasBody);
}

function hasBody(attachment) {
  return Boolean(attachment) && attachment.contentType !== "text/html";
}

/** After a restart of the local cloud, which does not know the items of before: a line says so. */
export function withRestart(transcript, text, now) {
  const key = `restart:${transcript.items.length}:${now}`;
  const notice = { key, id: key, kind: "event", activity: {}, at: now, own: false, text };
  const items = transcript.items.map((item) => ({ ...item, past: true, streaming: null }));
  return { ...transcript, items: [...items, notice], typing: null };
}

/** Without an indicator whose time is over, or whose turn has ended. */
export function withoutTyping(transcript, { now, ended = undefined }) {
  const { typing } = transcript;
  if (typing === null) return transcript;
  const over = typing.until <= now || (ended !== undefined && typing.to === ended);
  return over ? { ...transcript, typing: null } : transcript;
}

/** The message that the bot's suggested actions belong to: the last one, if it has any. */
export function suggesting(transcript, user) {
  const last = transcript.items.findLast((item) => item.kind === "message" && !item.deleted);
  if (last === undefined || last.own || last.streaming) return null;
  const { actions, to } = last.activity.suggestedActions ?? {};
  const meant = !to?.length || to.includes(user);
  return Array.isArray(actions) && actions.length > 0 && meant ? last : null;
}

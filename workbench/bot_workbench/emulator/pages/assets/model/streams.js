/** Streamed messages (Microsoft reference "Stream bot messages"). */

/**
 * What part of a stream an activity is.
 *
 * The facts of a stream stand in an entity of type `streaminfo`, in older bots in channelData. The
 * first part has no stream id: its activity's id is the stream's.
 *
 * @returns {{id: string, state: "informative"|"streaming"|null}|null} null: it is no part of one; a
 *   state of null: it is the final message, or the user has stopped it (the server's `stopped`).
 */
export function streamOf(activity) {
  if (activity.type !== "typing" && activity.type !== "message") return null;
  const entity = activity.entities?.find((each) => each?.type === "streaminfo");
  const info = entity ?? activity.channelData ?? {};
  const type = info.streamType ?? (activity.type === "message" ? "final" : "");
  if (!info.streamType && !info.streamId) return null;
  const id = info.streamId ?? activity.id;
  const isOver = activity.type === "message" || type === "final" || activity.stopped;
  if (isOver) return { id, state: null };
  return { id, state: type === "informative" ? "informative" : "streaming" };
}

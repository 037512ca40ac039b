// What is open beside the list, and the row that the keyboard is at.

import { useLayoutEffect, useState } from "/assets/libraries/htm.js";

/**
 * What is open is `view`: null, or an object whose `kind` is "turn" (with `id` and `focus`),
 * "services", "log", or "send" (with `title`, `activity` and `replayOf`).
 *
 * @param turn id of a turn to show, which may not be known yet; another id shows another one.
 * @param asked another value shows `turn` again, after it was closed.
 * @param listRef the list, which gets the focus back.
 */
export function useBeside(turn, asked, listRef) {
  const [view, show] = useState(turn ? { kind: "turn", id: turn, focus: false } : null);
  const [cursor, setCursor] = useState(null);
  const open = (id, focus) => {
    setCursor(id);
    show({ kind: "turn", id, focus });
  };
  const close = () => {
    show(null);
    // The list is hidden behind the details of a narrow panel until they are gone.
    requestAnimationFrame(() => listRef.current?.focus());
  };
  const moveTo = (id) => {
    setCursor(id);
    if (view?.kind === "turn") show({ kind: "turn", id, focus: false });
  };
  const send = (title, activity = null, replayOf = null) =>
    show({ kind: "send", activity, replayOf, title });
  useLayoutEffect(() => {
    if (turn) open(turn, false);
  }, [turn, asked]);
  const opened = view?.kind === "turn" ? view.id : null;
  return { view, opened, cursor, show, open, close, moveTo, send };
}

import { useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";
import { EMPTY_DRAFT, keepDraft, keptDraft } from "../model/draft.js";
import { draftOf } from "../text/mentions.js";

/**
 * What a person writes: the draft, and the message that it replies to or edits. An edit has a text
 * of its own: the draft waits until the edit is sent or given up.
 */
export function useWriting(conversation) {
  const id = conversation?.id;
  const field = useRef(null);
  const [draft, setDraft] = useState(() => keptDraft(sessionStorage, id));
  // A person types faster than the page is drawn.
  const newest = useRef(draft);
  const [referring, setReferring] = useState(null);
  const editing = referring?.kind === "edit";
  useLayoutEffect(() => field.current.focus(), []);
  // Not `draft`: when an effect runs, there may be a newer one.
  const keep = () => keepDraft(sessionStorage, id, editing ? referring.draft : newest.current);
  useLayoutEffect(keep, [draft, referring, id]);
  const change = (next) => {
    newest.current = next;
    setDraft(next);
  };
  const put = (next, caret = next.text.length) => {
    change(next);
    field.current.value = next.text;
    field.current.focus();
    field.current.setSelectionRange(caret, caret);
  };
  const now = () => ({ text: field.current.value, picked: newest.current.picked });
  const type = (text) => {
    change({ ...newest.current, text });
    keep(); // The page may be reloaded before an effect runs.
  };
  /** Refer to a message, or to none: an edit is given up. */
  const refer = (next) => {
    if (editing) put(referring.draft);
    setReferring(next);
    field.current.focus();
  };
  const edit = (item) => {
    setReferring({ kind: "edit", item, draft: editing ? referring.draft : now() });
    put(draftOf(item.activity));
  };
  const insert = ({ text, picked }) =>
    put({ text: field.current.value + text, picked: [...now().picked, ...picked] });
  /** After sending: replies to the same post go on. */
  const clear = () => {
    put(editing ? referring.draft : EMPTY_DRAFT);
    if (referring?.kind !== "thread") setReferring(null);
  };
  /** What was not sent comes back; what was typed since is not lost. */
  const restore = (sent) => {
    if (field.current === null) {
      // Another conversation is open.
      if (!editing) keepDraft(sessionStorage, id, sent);
      return;
    }
    const since = field.current.value;
    setReferring(
      editing ? { ...referring, draft: { ...referring.draft, text: since } } : referring,
    );
    put(editing || !since ? sent : { ...sent, text: `${sent.text}\n${since}` });
  };
  return { field, draft, referring, now, put, type, refer, edit, insert, clear, restore };
}

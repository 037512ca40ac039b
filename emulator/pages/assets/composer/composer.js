import { html, useEffect, useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";
import { ComposerTools } from "../cards/composer_tools.js";
import { LinkPreviews } from "../cards/link_previews.js";
import { keepDraft, keptDraft } from "../model/draft.js";
import { mentionsIn, typedForm } from "../text/mentions.js";
import { quoteOf } from "../text/quotes.js";
import { Icon } from "../shared/icons.js";
import { Tray } from "./tray.js";
import { MentionPicker, useMentions } from "./mention_picker.js";
import { useFiles } from "./files.js";
import { Referring } from "./referring.js";

const TYPING_EVERY_MS = 3000;

/** Where a person writes: Enter sends, Shift+Enter starts a line. */
export function Composer({ context, handle }) {
  const { conversation, state } = context;
  const kept = keptDraft(sessionStorage, conversation?.id);
  const [text, setText] = useState(kept);
  const [picked, setPicked] = useState([]);
  const [referring, setReferring] = useState(null);
  const field = useRef(null);
  const files = useFiles(context);
  const put = (next, caret = next.length) => {
    setText(next);
    // At once: a person goes on typing before the page is drawn.
    field.current.value = next;
    field.current.focus();
    field.current.setSelectionRange(caret, caret);
  };
  const mentions = useMentions({ text, field, members: members(context), put, setPicked, picked });
  handle.current = {
    insert: (inserted) => put(`${field.current.value}${inserted}`),
    focus: () => field.current?.focus(),
    replyInThread: (thread) => {
      setReferring({ kind: "thread", thread });
      field.current?.focus();
    },
    reply: (item) => {
      setReferring({ kind: "reply", item });
      field.current?.focus();
    },
    edit: (item) => {
      const { typed, picked: before } = typedForm(item.activity);
      setReferring({ kind: "edit", item });
      setPicked(before);
      put(typed);
    },
  };
  useEffect(() => field.current?.focus(), []);
  useEffect(() => keepDraft(sessionStorage, conversation?.id, text), [text, conversation?.id]);
  useLayoutEffect(() => grow(field.current), [text]);
  const submit = async () => {
    const typed = field.current.value.trim();
    const message = messageOf(typed, picked, referring, state.attached);
    if (message === null && files.chosen.length === 0) return;
    setText("");
    setPicked([]);
    setReferring(null);
    context.dispatch({ type: "attached", attached: [] });
    if (referring?.kind === "edit") await edit(referring, message, typed);
    else if (files.chosen.length > 0) await files.send(typed, referring?.thread);
    else context.send(message, undefined, referring?.thread);
    if (referring?.kind === "thread") setReferring(referring);
  };
  const edit = async (edited, message, typed) => {
    if (await context.attempt(() => context.api.edit(edited.item.id, message))) return;
    // Nothing typed is lost.
    setReferring(edited);
    put(typed);
  };
  const onKeyDown = (event) => {
    // An IME's Enter picks a word: it is not the message's end.
    if (event.isComposing || event.keyCode === 229) return;
    if (mentions.onKeyDown(event)) return;
    if (event.key === "Escape" && referring) setReferring(null);
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  };
  const onInput = ({ target }) => {
    setText(target.value);
    // At once: the page may be reloaded before an effect runs.
    keepDraft(sessionStorage, conversation?.id, target.value);
    mentions.update(target.value, target.selectionStart);
    announceTyping(context);
  };
  const label = labelOf(conversation, referring);
  const sendable = text.trim() !== "" || files.chosen.length > 0 || state.attached.length > 0;
  return html`<div class=${`composer${files.dropping ? " composer--drop" : ""}`}>
    <${Referring} referring=${referring} onClose=${() => setReferring(null)} />
    <${Tray} files=${files} context=${context} />
    <${LinkPreviews} text=${text} context=${context} />
    <${MentionPicker} mentions=${mentions} />
    <div class="composer__box">
      <textarea
        ref=${field}
        class="composer__field"
        rows="1"
        aria-label=${label}
        placeholder=${label}
        value=${text}
        ...${mentions.aria}
        onInput=${onInput}
        onKeyDown=${onKeyDown}
        onPaste=${files.onPaste}
      ></textarea>
      <div class="composer__tools">
        <button
          type="button"
          class="icon-button"
          aria-label="Attach files"
          title="Attach files"
          onClick=${files.choose}
        >
          <${Icon} name="attach" />
        </button>
        <${ComposerTools} context=${context} />
        <button
          type="button"
          class="icon-button composer__send"
          aria-label="Send"
          title="Send (Enter)"
          disabled=${!sendable}
          onClick=${submit}
        >
          <${Icon} name="send" />
        </button>
      </div>
    </div>
  </div>`;
}

function labelOf(conversation, referring) {
  if (referring?.kind === "thread") return "Reply to the post";
  return conversation?.kind === "channel" ? "Start a post" : "Type a message";
}

function members({ conversation, bot, user }) {
  const people = (conversation?.members ?? []).filter(({ id }) => id !== user?.id);
  const shown = conversation?.bot ?? bot;
  return shown ? [shown, ...people] : people;
}

function messageOf(text, picked, referring, attached) {
  if (text === "" && attached.length === 0) return null;
  const written = mentionsIn(text, picked);
  const message = { type: "message", text: written.text, textFormat: "plain" };
  if (written.entities.length > 0) message.entities = written.entities;
  if (attached.length > 0) message.attachments = attached;
  if (referring?.kind === "reply")
    message.attachments = [quoteOf(referring.item, text), ...attached];
  return message;
}

/** As high as its text, up to what the style allows. */
function grow(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

let typedAt = 0;

function announceTyping({ api, state }) {
  const now = Date.now();
  if (state.connection !== "connected" || now - typedAt < TYPING_EVERY_MS) return;
  typedAt = now;
  // Nobody misses an indicator that got lost.
  api.typing().catch(() => {});
}

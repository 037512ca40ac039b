import { html, useLayoutEffect } from "/assets/libraries/htm.js";
import { ComposerTools } from "../cards/composer_tools.js";
import { LinkPreviews } from "../cards/link_previews.js";
import { mentionsIn } from "../text/mentions.js";
import { quoteOf } from "../text/quotes.js";
import { IconButton } from "../shared/icons.js";
import { Tray } from "./tray.js";
import { MentionPicker, useMentions } from "./mention_picker.js";
import { useFiles } from "./files.js";
import { Referring } from "./referring.js";
import { useWriting } from "./writing.js";

const TYPING_EVERY_MS = 3000;

/** Where a person writes: Enter sends, Shift+Enter starts a line. */
export function Composer({ context, handle }) {
  const { conversation } = context;
  const writing = useWriting(conversation);
  const { field, draft, referring, refer } = writing;
  const files = useFiles(context);
  const mentions = useMentions(writing, members(context));
  handle.current = {
    insert: writing.insert,
    focus: () => field.current?.focus(),
    replyInThread: (thread) => refer({ kind: "thread", thread }),
    reply: (item) => refer({ kind: "reply", item }),
    edit: writing.edit,
  };
  useLayoutEffect(() => grow(field.current), [draft.text]);
  const submit = () => send(writing, files, context);
  const onKeyDown = (event) => {
    // An IME's Enter picks a word: it is not the message's end.
    if (event.isComposing || event.keyCode === 229) return;
    if (mentions.onKeyDown(event)) return;
    if (event.key === "Escape" && referring) refer(null);
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  };
  const onInput = ({ target }) => {
    writing.type(target.value);
    mentions.update(target.value, target.selectionStart);
    announceTyping(context);
  };
  const label = labelOf(conversation, referring);
  const hasMore = files.chosen.length > 0 || context.state.attached.length > 0;
  return html`<div class=${`composer${files.dropping ? " composer--drop" : ""}`}>
    <${Referring} referring=${referring} onClose=${() => refer(null)} />
    <${Tray} files=${files} context=${context} />
    <${LinkPreviews} text=${draft.text} context=${context} />
    <${MentionPicker} mentions=${mentions} />
    <div class="composer__box">
      <textarea
        ref=${field}
        class="composer__field"
        rows="1"
        aria-label=${label}
        placeholder=${label}
        value=${draft.text}
        ...${mentions.aria}
        onInput=${onInput}
        onKeyDown=${onKeyDown}
        onPaste=${files.onPaste}
      ></textarea>
      <${Buttons}
        files=${files}
        sendable=${hasMore || draft.text.trim()}
        ...${{ submit, context }}
      />
    </div>
  </div>`;
}

function Buttons({ files, sendable, submit, context }) {
  return html`<div class="composer__tools">
    <${IconButton}
      icon="attach"
      label="Attach files"
      title="Attach files"
      onClick=${files.choose}
    />
    <${ComposerTools} context=${context} />
    <${IconButton}
      icon="send"
      class="composer__send"
      label="Send"
      title="Send (Enter)"
      disabled=${!sendable}
      onClick=${submit}
    />
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

/** Send what is written; what cannot be sent comes back. */
async function send(writing, files, context) {
  const { referring } = writing;
  const { attached, connection } = context.state;
  const written = writing.now();
  const message = messageOf(written, referring, attached);
  if (message === null && files.chosen.length === 0) return;
  if (files.chosen.length > 0 && connection !== "connected") {
    context.notify("Files cannot be sent until the page is connected again.", "error");
    return;
  }
  const attach = (cards) => context.dispatch({ type: "attached", attached: cards });
  writing.clear();
  attach([]);
  if (await deliver(message, referring, files, context)) return;
  writing.restore(written);
  if (writing.field.current !== null) attach(attached);
}

/** Whether it was sent, or waits in the outbox. */
async function deliver(message, referring, files, { api, attempt, client }) {
  if (referring?.kind === "edit") return attempt(() => api.edit(referring.item.id, message));
  if (files.chosen.length > 0) return files.send(message, referring?.thread);
  client.send(message, undefined, referring?.thread);
  return true;
}

function messageOf({ text, picked }, referring, attached) {
  const typed = text.trim();
  if (typed === "" && attached.length === 0) return null;
  const written = mentionsIn(typed, picked);
  const message = { type: "message", text: written.text, textFormat: "plain" };
  if (written.entities.length > 0) message.entities = written.entities;
  if (attached.length > 0) message.attachments = attached;
  if (referring?.kind === "reply") message.attachments = [quoteOf(referring.item), ...attached];
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
  // An indicator that got lost is not worth an error.
  api.typing().catch(() => {});
}

// An activity to write, or to change and send again.

import { html, useMemo, useRef, useState } from "/assets/libraries/htm.js";

import { sendActivity } from "../inspector/api.js";
import { Icon } from "../inspector/icons.js";
import { parsed } from "../inspector_models/json_syntax.js";
import { jsonText } from "../inspector_models/json_tree.js";
import { PaneHead } from "./pane_head.js";

/** What stands for a token in what the local cloud shows. */
const NO_TOKEN = "[token]";

const TEMPLATES = {
  message: { type: "message", text: "Hello" },
  "message with a value": { type: "message", value: { action: "approve" } },
  installationUpdate: { type: "installationUpdate", action: "add" },
  "invoke: message extension": {
    type: "invoke",
    name: "composeExtension/query",
    value: { commandId: "search", parameters: [{ name: "query", value: "blue" }] },
  },
  "invoke: dialog": { type: "invoke", name: "task/fetch", value: { data: {} } },
  event: { type: "event", name: "reminder", value: {} },
};

/**
 * The form; `onSent` is called with the id of the turn that the activity became.
 *
 * @param activity is changed; null: a new one is written.
 * @param replayOf id of the turn that had the activity; null: there is none.
 */
export function SendForm({ activity, replayOf, title, onSent, onClose }) {
  const [text, setText] = useState(() => jsonText(activity ?? TEMPLATES.message));
  const [answer, setAnswer] = useState("");
  const [isSending, setSending] = useState(false);
  const result = useMemo(() => parsed(text), [text]);
  const problem = result.error ?? wrongActivity(result.value);
  const send = async () => {
    if (problem || isSending) return;
    setSending(true);
    try {
      const { turn, status } = await sendActivity(result.value, replayOf);
      if (turn) onSent(turn);
      else setAnswer(`The bot answered ${status}.`);
    } catch (error) {
      setAnswer(error.message);
    } finally {
      setSending(false);
    }
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  };
  return html`<div class="pane" onKeyDown=${onKeyDown}>
    <${PaneHead} title=${title} onClose=${onClose} />
    <div class="pane__body send">
      ${!activity && html`<${Templates} onChoose=${(each) => setText(jsonText(each))} />`}
      <p class="quiet">
        Ids, addresses and the service URL that are missing are filled in. The activity is sent with
        a new id.
      </p>
      ${text.includes(NO_TOKEN) &&
      html`<p class="note" data-tone="warn">
        Tokens are not shown: ${NO_TOKEN} is sent as it stands here. Replay sends the token.
      </p>`}
      <${JsonEditor} text=${text} onText=${setText} problem=${problem} />
      <div class="send__foot">
        <p class="send__problem" id="activity-problem" role="status" data-bad=${Boolean(problem)}>
          ${problem ? problemText(problem) : "Valid JSON"}
        </p>
        ${answer && html`<p class="send__problem" role="alert" data-bad="true">${answer}</p>`}
        <button
          class="button button--primary"
          aria-disabled=${Boolean(problem) || isSending}
          onClick=${send}
        >
          <${Icon} name="send" />${isSending ? "Sending…" : "Send"}
        </button>
      </div>
    </div>
  </div>`;
}

function wrongActivity(value) {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isObject) return { message: "An activity is a JSON object.", line: 1, column: 1 };
  if (typeof value.type === "string" && value.type) return null;
  return { message: 'An activity needs a type, such as "message".', line: 1, column: 1 };
}

const problemText = ({ line, column, message }) => `Line ${line}, column ${column}: ${message}`;

function Templates({ onChoose }) {
  return html`<div class="send__templates" role="group" aria-label="Start from">
    ${Object.entries(TEMPLATES).map(
      ([name, activity]) => html`<button
        class="button button--small"
        onClick=${() => onChoose(activity)}
      >
        ${name}
      </button>`,
    )}
  </div>`;
}

const MAX_NUMBERED_LINES = 5_000;

function JsonEditor({ text, onText, problem }) {
  const lines = Math.min(MAX_NUMBERED_LINES, text.split("\n").length);
  const numbers = useRef(null);
  const onScroll = (event) => {
    numbers.current.scrollTop = event.target.scrollTop;
  };
  return html`<div class="editor">
    <div class="editor__numbers" ref=${numbers} aria-hidden="true">
      ${Array.from(
        { length: lines },
        (_, index) => html`<span data-bad=${problem?.line === index + 1}>${index + 1}</span>`,
      )}
    </div>
    <textarea
      class="editor__text"
      aria-label="Activity as JSON"
      aria-invalid=${Boolean(problem)}
      aria-describedby="activity-problem"
      spellcheck=${false}
      wrap="off"
      value=${text}
      onInput=${(event) => onText(event.target.value)}
      onScroll=${onScroll}
    />
  </div>`;
}

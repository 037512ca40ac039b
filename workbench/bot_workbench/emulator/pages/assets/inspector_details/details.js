// The details of one turn.

import { html, useState } from "/assets/libraries/htm.js";

import { replayTurn } from "../inspector/api.js";
import { Icon } from "../inspector/icons.js";
import { useDetails } from "../inspector/live.js";
import { resultOf, titleOf, toneOf, whereOf } from "../inspector/turn_list.js";
import { clock, duration } from "../inspector_models/formatting.js";
import { moved } from "../inspector_models/turns.js";
import { PaneHead } from "../inspector_panes/pane_head.js";
import { shortened } from "../text/plain_text.js";
import { Calls } from "./calls.js";
import { Caller } from "./caller.js";
import { CopyButton } from "./copy.js";
import { JsonView } from "./json_view.js";
import { Log } from "./log.js";
import { Overview, Queue } from "./overview.js";
import { State } from "./state.js";

const length = (name) => (turn) => turn[name]?.length ?? 0;

// Tabs in their order: key, name, how many things it has (null: always there, no number).
const TABS = [
  ["overview", "Overview", null],
  ["activity", "Activity", null],
  ["replies", "Replies", length("replies")],
  ["state", "State", length("state")],
  ["calls", "Calls", length("calls")],
  ["log", "Log", length("logs")],
  ["caller", "Caller", null],
  ["queue", "Queue", length("queue")],
];

// Kinds of turns whose activity came from the channel: it can come again.
const DELIVERED = ["channel", "queued"];

let lastTab = "overview";

/**
 * The details pane of the turn `id`.
 *
 * @param focus whether to move the focus to its heading.
 * @param summary the turn's row; undefined while it is unknown.
 * @param onOpen called with another turn's id; `onEdit` with the turn whose activity to edit.
 */
export function TurnDetails(props) {
  const { id, focus, summary, onClose } = props;
  const { details, problem } = useDetails(id, summary);
  const turn = details ?? summary;
  if (!turn) return html`<${Unknown} problem=${problem} onClose=${onClose} />`;
  // The row may be newer than the details, which are fetched again; it has numbers for lists.
  const { ms, status, outcome, error } = summary ?? turn;
  const now = { ...turn, ms, status, outcome, error };
  const title = html`<bdi>${shortened(titleOf(now), 120)}</bdi>`;
  return html`<article class="pane" aria-label="Turn">
    <${PaneHead} key=${id} title=${title} focus=${focus} onClose=${onClose}>
      <span class="pill" data-tone=${toneOf(now)}>${resultOf(now)}</span>
    <//>
    <${Facts} ...${props} turn=${now} />
    ${details
      ? html`<${Tabs} key="tabs" turn=${{ ...details, ms, status, outcome, error }} />`
      : html`<div class="empty" aria-busy=${!problem}>
          ${problem && problem !== "unknown" ? problem : html`<span class="spinner" />`}
        </div>`}
  </article>`;
}

function Unknown({ problem, onClose }) {
  return html`<div class="pane">
    <${PaneHead} title="Turn" focus=${false} onClose=${onClose} />
    <div class="empty" aria-busy=${!problem}>
      ${problem === "unknown"
        ? html`<p class="empty__title">This turn is not here</p>
            <p>It was cleared, or it has not started. It appears here as soon as it does.</p>`
        : problem || html`<span class="spinner" />`}
    </div>
  </div>`;
}

function Facts({ turn, onOpen, onEdit, onOpenConversation }) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const replay = async () => {
    setBusy(true);
    setProblem("");
    try {
      const { turn: id } = await replayTurn(turn.id);
      if (id) onOpen(id);
    } catch (error) {
      setProblem(error.message);
    } finally {
      setBusy(false);
    }
  };
  const where = whereOf(turn);
  const conversation = turn.conversation?.id;
  return html`<div class="turn-facts">
    <p class="turn-facts__line">
      <span>${turn.type}${turn.name && turn.name !== turn.type ? ` ${turn.name}` : ""}</span>
      <span>${clock(turn.at)}</span>
      <span>${duration(turn.ms)}</span>
      ${where &&
      (onOpenConversation && conversation
        ? html`<button class="link" onClick=${() => onOpenConversation(conversation)}>
            <bdi>${where}</bdi>
          </button>`
        : html`<bdi>${where}</bdi>`)}
      ${turn.channel && html`<span>${turn.channel}</span>`}
      ${turn.replay_of &&
      html`<${Other} id=${turn.replay_of} onOpen=${onOpen}>the turn it repeats<//>`}
      ${turn.parent &&
      html`<${Other} id=${turn.parent} onOpen=${onOpen}>the turn it is part of<//>`}
    </p>
    ${turn.activity?.type &&
    DELIVERED.includes(turn.kind) &&
    html`<div class="turn-facts__actions">
      <button class="button button--small" disabled=${isBusy} onClick=${replay}>
        <${Icon} name="replay" />Replay
      </button>
      <button class="button button--small" onClick=${() => onEdit(turn)}>
        <${Icon} name="edit" />Edit and send
      </button>
      ${turn.curl && html`<${CopyButton} text=${turn.curl} label="Copy as curl" />`}
    </div>`}
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
  </div>`;
}

function Other({ id, onOpen, children }) {
  return html`<button class="link" onClick=${() => onOpen(id)}>${children}</button>`;
}

function Tabs({ turn }) {
  const tabs = TABS.filter(([key, , number]) => key !== "queue" || number(turn) > 0);
  const [wanted, setWanted] = useState(lastTab);
  const [call, setCall] = useState(null);
  const chosen = tabs.some(([key]) => key === wanted) ? wanted : "overview";
  const choose = (key, id = null) => {
    lastTab = key;
    setWanted(key);
    setCall(id);
  };
  const onKeyDown = (event) => {
    const keys = { ArrowRight: "ArrowDown", ArrowLeft: "ArrowUp", Home: "Home", End: "End" };
    const index = tabs.findIndex(([key]) => key === chosen);
    const target = moved(keys[event.key], index, tabs.length, 1);
    if (target === null) return;
    event.preventDefault();
    choose(tabs[target][0]);
    event.currentTarget.children[target].focus();
  };
  const list = { class: "tabs", role: "tablist", "aria-label": "Parts of the turn", onKeyDown };
  return html`<div ...${list}>
      ${tabs.map(
        ([key, name, number]) => html`<button
          role="tab"
          id=${`tab-${key}`}
          aria-selected=${key === chosen}
          aria-controls="tab-panel"
          tabindex=${key === chosen ? 0 : -1}
          onClick=${() => choose(key)}
        >
          ${name}${number?.(turn) > 0 && html`<span class="tabs__number">${number(turn)}</span>`}
        </button>`,
      )}
    </div>
    <div
      class="pane__body"
      role="tabpanel"
      id="tab-panel"
      tabindex="0"
      aria-labelledby=${`tab-${chosen}`}
      key=${`${turn.id} ${chosen}`}
    >
      <${Part} chosen=${chosen} turn=${turn} call=${call} onCall=${(id) => choose("calls", id)} />
    </div>`;
}

function Part({ chosen, turn, call, onCall }) {
  switch (chosen) {
    case "activity":
      return html`<${Activity} turn=${turn} />`;
    case "replies":
      return html`<${Replies} turn=${turn} />`;
    case "state":
      return html`<${State} turn=${turn} />`;
    case "calls":
      return html`<${Calls} turn=${turn} shown=${call} />`;
    case "log":
      return turn.logs.length > 0
        ? html`<${Log} lines=${turn.logs} start=${turn.at} />`
        : html`<p class="quiet block">This turn logged nothing.</p>`;
    case "caller":
      return html`<${Caller} turn=${turn} />`;
    case "queue":
      return html`<${Queue} turn=${turn} />`;
    default:
      return html`<${Overview} turn=${turn} onCall=${onCall} />`;
  }
}

function Activity({ turn }) {
  if (!turn.activity && turn.input !== null && turn.input !== undefined) {
    return html`<${JsonView} value=${turn.input} label="Input" />`;
  }
  if (!turn.activity) return html`<p class="quiet block">This turn has no activity.</p>`;
  return html`<${JsonView} value=${turn.activity} label="Activity" />`;
}

function Replies({ turn }) {
  const replies = turn.replies ?? [];
  if (replies.length === 0) return html`<p class="quiet block">The bot sent no replies.</p>`;
  return replies.map(
    (reply, index) => html`<section class="block" key=${reply.id ?? index}>
      <h3><bdi>${reply.type}${reply.text ? `: ${shortened(reply.text, 80)}` : ""}</bdi></h3>
      <${JsonView} value=${reply} label=${`Reply ${index + 1}`} />
    </section>`,
  );
}

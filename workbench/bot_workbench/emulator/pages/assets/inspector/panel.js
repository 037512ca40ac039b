// The inspector: the bot's turns, live, with their details beside them.

import { html, useEffect, useMemo, useRef, useState } from "/assets/libraries/htm.js";

import { TurnDetails } from "../inspector_details/details.js";
import { isFaulty } from "../inspector_models/faults.js";
import { filtered, NO_FILTER } from "../inspector_models/turn_filter.js";
import { LogPane } from "../inspector_panes/log_pane.js";
import { SendForm } from "../inspector_panes/send_form.js";
import { Services } from "../inspector_panes/services.js";
import { clearTurns } from "./api.js";
import { useBeside } from "./beside.js";
import { Icon } from "./icons.js";
import { useFreshServices, useLive, useSearch } from "./live.js";
import { BotState, Strips } from "./strips.js";
import { Toolbar } from "./toolbar.js";
import { TurnList } from "./turn_list.js";

/**
 * The inspector fills its element. While it is mounted, turns are recorded in detail.
 *
 * @param turn id of a turn to show, which may not be known yet; another id shows another one.
 * @param asked another value shows `turn` again, after it was closed.
 * @param onTurn called with the id of the turn that is shown; null: none is.
 * @param conversation id of the one that the page shows beside it: the filters offer it first.
 * @param onClose shows a button that closes the panel.
 * @param onOpenConversation called with a conversation's id; without it, rows name it only.
 * @param heading the element of the title; a page has "h1", a panel beside the chat "h2".
 * @param extra more content for the head, such as a link.
 */
export function InspectorPanel({
  turn = null,
  asked = null,
  onTurn,
  conversation = "",
  onClose,
  onOpenConversation,
  heading = "h2",
  extra = null,
}) {
  const live = useLive();
  const [filter, setFilter] = useState(NO_FILTER);
  const [frozen, setFrozen] = useState(null);
  const list = useRef(null);
  const search = useRef(null);
  const beside = useBeside(turn, asked, list);
  const { view, opened, close } = beside;
  const turns = frozen ?? live.turns;
  const found = useSearch(filter.text, turns.at(-1)?.id);
  useFreshServices(live, view?.kind === "services" || live.services.some(isFaulty));
  const shown = useMemo(() => filtered(turns, filter, found), [turns, filter, found]);
  useEffect(() => onTurn?.(opened), [opened]);
  const onKeyDown = (event) => {
    const isTyping = event.target.closest("input, textarea, select");
    if (event.key === "/" && !isTyping && search.current) {
      event.preventDefault();
      search.current.focus();
    } else if (event.key === "Escape" && event.target === search.current && filter.text) {
      setFilter({ ...filter, text: "" });
    } else if (event.key === "Escape" && view && !event.defaultPrevented) {
      event.stopPropagation();
      close();
    }
  };
  const clear = async () => {
    setFrozen(null);
    beside.show(null);
    try {
      await clearTurns();
    } catch {
      // The connection is lost: the page says so already, and the turns are still there.
    }
  };
  return html`<section class="inspector" aria-label="Inspector" onKeyDown=${onKeyDown}>
    <${Head} live=${live} heading=${heading} beside=${beside} onClose=${onClose} extra=${extra} />
    <${Strips} live=${live} onServices=${() => beside.show({ kind: "services" })} />
    <div class="inspector__body" data-open=${view !== null}>
      <div class="inspector__list">
        <${Toolbar}
          turns=${turns}
          shown=${shown}
          filter=${filter}
          conversation=${conversation}
          onFilter=${setFilter}
          paused=${frozen !== null}
          onPause=${() => setFrozen(frozen === null ? live.turns : null)}
          onClear=${clear}
          searchRef=${search}
        />
        ${shown.length > 0
          ? html`<${TurnList}
              turns=${shown}
              cursor=${beside.cursor}
              opened=${opened}
              onCursor=${beside.moveTo}
              onOpen=${beside.open}
              listRef=${list}
            />`
          : html`<${NoTurns} live=${live} any=${turns.length > 0} />`}
      </div>
      <div class="inspector__details">
        ${view === null
          ? html`<${Nothing} any=${turns.length > 0} />`
          : html`<${Beside}
              beside=${beside}
              live=${live}
              onOpenConversation=${onOpenConversation}
            />`}
      </div>
    </div>
  </section>`;
}

function Beside({ beside, live, onOpenConversation }) {
  const { view, open, close, send } = beside;
  const openTurn = (id) => open(id, true);
  if (view.kind === "services")
    return html`<${Services} services=${live.services} onClose=${close} />`;
  if (view.kind === "log") return html`<${LogPane} lines=${live.log} onClose=${close} />`;
  if (view.kind === "send")
    return html`<${SendForm}
      key=${view.title}
      activity=${view.activity}
      replayOf=${view.replayOf}
      title=${view.title}
      onSent=${openTurn}
      onClose=${close}
    />`;
  return html`<${TurnDetails}
    id=${view.id}
    focus=${view.focus}
    summary=${live.turns.find((each) => each.id === view.id)}
    live=${live}
    onClose=${close}
    onOpen=${openTurn}
    onEdit=${(turn) => send("Edit and send", turn.activity, turn.id)}
    onOpenConversation=${onOpenConversation}
  />`;
}

function Head({ live, heading, beside, onClose, extra }) {
  const { view, show, close } = beside;
  const faults = live.services.filter(isFaulty).length;
  const toggled = (kind) => () => (view?.kind === kind ? close() : show({ kind }));
  return html`<header class="inspector__head">
    <${heading} class="inspector__title">Inspector<//>
    <${BotState} status=${live.status} connection=${live.connection} />
    <span class="inspector__actions">
      <button
        class="button button--small button--quiet"
        onClick=${() => beside.send("New activity")}
      >
        <${Icon} name="send" /><span class="wide">New activity</span>
        <span class="visually-hidden narrow">New activity</span>
      </button>
      <button
        class="button button--small button--quiet"
        aria-pressed=${view?.kind === "services"}
        onClick=${toggled("services")}
      >
        <${Icon} name="services" /><span class="wide">Services</span>
        <span class="visually-hidden narrow">Services</span>
        ${faults > 0 &&
        html`<span class="pill" data-tone="warn" aria-label=${`${faults} with faults`}
          >${faults}</span
        >`}
      </button>
      ${live.log.length > 0 &&
      html`<button
        class="button button--small button--quiet"
        aria-pressed=${view?.kind === "log"}
        title="What was logged outside of turns"
        onClick=${toggled("log")}
      >
        <${Icon} name="log" /><span class="wide">Log</span>
        <span class="visually-hidden narrow">Log</span>
      </button>`}
      ${extra}
      ${onClose &&
      html`<button class="icon-button" aria-label="Close the inspector" onClick=${onClose}>
        <${Icon} name="close" />
      </button>`}
    </span>
  </header>`;
}

function NoTurns({ live, any }) {
  if (!live.greeted) {
    return html`<div class="empty" aria-busy="true">
      <span class="spinner" />
      <p>Connecting to the local cloud…</p>
    </div>`;
  }
  if (any) {
    return html`<div class="empty"><p class="empty__title">No turn matches</p></div>`;
  }
  return html`<div class="empty">
    <${Icon} name="message" />
    <p class="empty__title">No turns yet</p>
    <p>Write to the bot in the chat, or send an activity. Each turn appears here as it runs.</p>
  </div>`;
}

function Nothing({ any }) {
  return html`<div class="empty">
    ${any &&
    html`<p class="empty__title">Choose a turn</p>
      <p>
        <kbd>↑</kbd> <kbd>↓</kbd> move, <kbd>Enter</kbd> opens, <kbd>Esc</kbd> closes,${" "}
        <kbd>/</kbd> searches
      </p>`}
  </div>`;
}

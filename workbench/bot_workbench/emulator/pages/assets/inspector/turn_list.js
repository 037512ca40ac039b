// The list of turns: only the rows in view exist, so that a thousand are no slower than ten.

import { html, useEffect, useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";

import { clock, count, duration } from "../inspector_models/formatting.js";
import { hasFailed, nameOf } from "../inspector_models/turn_filter.js";
import { moved, scrolledTo, visibleRows } from "../inspector_models/turns.js";
import { shortened } from "../text/plain_text.js";
import { Icon, iconOf } from "./icons.js";

const ROW_REM = 3.25;
const AT_END_PX = 8;

const rowHeight = () =>
  ROW_REM * parseFloat(window.getComputedStyle(document.documentElement).fontSize);

/** A turn's tone: how it ended. One that went well may have logged errors. */
export function toneOf(turn) {
  if (turn.outcome === "failed" || turn.status >= 400) return "bad";
  if (turn.outcome === "running") return "busy";
  return turn.outcome === "queued" || hasFailed(turn) ? "warn" : "good";
}

const NAMED = new Set(["invoke", "event"]);

/** What a turn is about, in a line. */
export function titleOf(turn) {
  if (turn.text) return turn.text;
  if (NAMED.has(turn.type) && turn.name) return turn.name;
  return [turn.type, turn.name].filter(Boolean).join(" ") || turn.function || "turn";
}

/**
 * The list. `cursor` is the id of the row that the keyboard is at, `opened` of the one whose
 * details are shown. It follows the newest row until it is scrolled away from it.
 */
export function TurnList({ turns, cursor, opened, onCursor, onOpen, listRef }) {
  const height = rowHeight();
  const view = useView(listRef, turns, height);
  const { first, last } = visibleRows(turns.length, height, view.top, view.height);
  const index = turns.findIndex((turn) => turn.id === cursor);
  const move = (target) => {
    const list = listRef.current;
    list.scrollTop = scrolledTo(target, height, list.scrollTop, list.clientHeight);
    onCursor(turns[target].id);
  };
  const shown = turns.findIndex((turn) => turn.id === opened);
  useEffect(() => {
    const list = listRef.current;
    if (shown >= 0) list.scrollTop = scrolledTo(shown, height, list.scrollTop, list.clientHeight);
  }, [opened, shown >= 0]);
  const onKeyDown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(view.height / height) - 1);
    const target = moved(event.key, index, turns.length, page);
    if (target !== null) move(target);
    else if (event.key === "Enter" && index >= 0) onOpen(turns[index].id, true);
    else return;
    event.preventDefault();
  };
  const inView = index >= first && index < last;
  return html`<div class="turns">
    <div
      class="turns__scroll"
      ref=${listRef}
      role="listbox"
      tabindex="0"
      aria-label="Turns"
      aria-activedescendant=${inView ? `turn-${cursor}` : undefined}
      onScroll=${view.onScroll}
      onKeyDown=${onKeyDown}
    >
      <div class="turns__all" role="presentation" style=${{ height: `${turns.length * height}px` }}>
        <div
          class="turns__rows"
          role="presentation"
          style=${{ transform: `translateY(${first * height}px)` }}
        >
          ${turns.slice(first, last).map(
            (turn, offset) => html`<${Row}
              key=${turn.id}
              turn=${turn}
              position=${first + offset + 1}
              total=${turns.length}
              isCursor=${turn.id === cursor}
              isOpened=${turn.id === opened}
              onOpen=${onOpen}
            />`,
          )}
        </div>
      </div>
    </div>
    ${view.missed > 0 &&
    html`<button class="button button--primary button--small turns__newer" onClick=${view.toEnd}>
      <${Icon} name="down" />${view.missed} new
    </button>`}
  </div>`;
}

// Where the list is scrolled to. While it is at its end, it stays there; else the row at its top
// stays, even if older ones are dropped.
function useView(listRef, turns, height) {
  const [place, setPlace] = useState({ top: 0, height: 600 });
  const follows = useRef(true);
  const seen = useRef(null);
  const anchor = useRef(null);
  const read = () => {
    const list = listRef.current;
    follows.current = list.scrollTop + list.clientHeight >= list.scrollHeight - AT_END_PX;
    const first = Math.floor(list.scrollTop / height);
    anchor.current = { id: turns[first]?.id, offset: list.scrollTop - first * height };
    if (follows.current) seen.current = turns.at(-1)?.id ?? null;
    setPlace({ top: list.scrollTop, height: list.clientHeight });
  };
  const toEnd = () => {
    listRef.current.scrollTop = listRef.current.scrollHeight;
  };
  useLayoutEffect(() => {
    const list = listRef.current;
    if (follows.current) {
      toEnd();
    } else if (anchor.current) {
      const index = turns.findIndex((turn) => turn.id === anchor.current.id);
      if (index >= 0) list.scrollTop = index * height + anchor.current.offset;
    }
    read();
  }, [turns]);
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (follows.current) toEnd();
      read();
    });
    observer.observe(listRef.current);
    return () => observer.disconnect();
  }, []);
  const last = turns.findLastIndex((turn) => turn.id === seen.current);
  const missed = follows.current || last < 0 ? 0 : turns.length - 1 - last;
  return { ...place, onScroll: read, toEnd, missed };
}

function Row({ turn, position, total, isCursor, isOpened, onOpen }) {
  const title = shortened(titleOf(turn), 200);
  const kind = turn.kind === "channel" ? "" : turn.kind;
  const isNamed = NAMED.has(turn.type) && turn.name;
  const about = [turn.text || isNamed ? turn.type : "", turn.text && turn.name, kind];
  return html`<div
    role="option"
    id=${`turn-${turn.id}`}
    class="turn"
    data-tone=${toneOf(turn)}
    data-cursor=${isCursor}
    aria-selected=${isOpened}
    aria-setsize=${total}
    aria-posinset=${position}
    onClick=${() => onOpen(turn.id, false)}
  >
    <span class="visually-hidden">${labelOf(turn)}</span>
    <span class="turn__icon" aria-hidden="true"><${Icon} name=${iconOf(turn)} /></span>
    <span class="turn__main" aria-hidden="true">
      <bdi class="turn__title">${title}</bdi>
      <span class="turn__about">
        <time>${clock(turn.at).slice(0, 8)}</time>
        ${[...about, whereOf(turn)].filter(Boolean).map((each) => html`<bdi>${each}</bdi>`)}
        ${turn.replay_of && html`<span class="turn__replay">replay</span>`}
      </span>
    </span>
    <span class="turn__figures" aria-hidden="true">
      <span class="turn__result">
        <${Badges} turn=${turn} />
        <span class="pill" data-tone=${toneOf(turn)}>${resultOf(turn)}</span>
      </span>
      <span class="turn__ms">${duration(turn.ms)}</span>
    </span>
  </div>`;
}

/** Status or outcome, as short as a pill. */
export function resultOf(turn) {
  if (turn.outcome === "running") return "running";
  if (turn.outcome === "queued") return "queued";
  if (turn.outcome === "failed" && !(turn.status >= 400)) return "failed";
  return String(turn.status ?? turn.outcome ?? "");
}

export function whereOf(turn) {
  return turn.conversation?.name || nameOf(turn.from);
}

function Badges({ turn }) {
  const retries = Math.max(0, (turn.attempts ?? 0) - (turn.calls ?? 0));
  return html`
    ${turn.errors > 0 && html`<${Badge} icon="warning" tone="bad" number=${turn.errors} />`}
    ${retries > 0 && html`<${Badge} icon="replay" tone="warn" number=${retries} />`}
    ${turn.kind === "queued" && html`<${Badge} icon="queue" tone="quiet" />`}
    ${turn.state_writes > 0 && html`<${Badge} icon="state" number=${turn.state_writes} />`}
    ${turn.logs > 0 && html`<${Badge} icon="log" number=${turn.logs} />`}
    ${turn.calls > 0 && html`<${Badge} icon="call" number=${turn.calls} />`}
  `;
}

function Badge({ icon, tone = "quiet", number = "" }) {
  return html`<span class="mark" data-tone=${tone} data-icon=${icon}>
    <${Icon} name=${icon} />${number}
  </span>`;
}

function labelOf(turn) {
  const retries = (turn.attempts ?? 0) - (turn.calls ?? 0);
  const parts = [
    turn.type,
    turn.text || turn.name || turn.function,
    whereOf(turn),
    clock(turn.at).slice(0, 8),
    turn.outcome,
    turn.status && `status ${turn.status}`,
    duration(turn.ms),
    turn.errors > 0 && count(turn.errors, "error"),
    retries > 0 && count(retries, "retry", "retries"),
    turn.state_writes > 0 && count(turn.state_writes, "state write"),
    turn.logs > 0 && count(turn.logs, "log line"),
    turn.calls > 0 && count(turn.calls, "call"),
    turn.replay_of && "replay",
  ];
  return parts.filter(Boolean).join(", ");
}

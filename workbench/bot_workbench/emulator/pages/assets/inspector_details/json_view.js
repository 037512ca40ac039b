// JSON as a tree that can be folded, searched and copied, or as its text.

import { html, useMemo, useRef, useState } from "/assets/libraries/htm.js";

import { size } from "../inspector_models/formatting.js";
import {
  allBranches,
  jsonText,
  MAX_CHILDREN,
  openAtFirst,
  preview,
  search,
  treeRows,
} from "../inspector_models/json_tree.js";
import { remains } from "../inspector_models/large_values.js";
import { moved } from "../inspector_models/turns.js";
import { shortened } from "../text/plain_text.js";
import { CopyButton } from "./copy.js";

const MAX_ROWS = 600;
const MAX_TEXT = 240;
const MAX_WHOLE_TEXT = 20_000;
const MAX_RAW = 100_000;
const MAX_INDENT = 16;

/** A JSON value; `label` names it. Give it another `key` for another value. */
export function JsonView({ value, label }) {
  const kept = remains(value);
  return kept
    ? html`<${Remains} ...${kept} label=${label} />`
    : html`<${Whole} value=${value} label=${label} />`;
}

function Remains({ start, bytes, label }) {
  if (!start) return html`<p class="quiet">${size(bytes)} of binary data</p>`;
  return html`<p class="quiet">The start of ${size(bytes)}; the rest was not recorded.</p>
    <pre class="json__raw" tabindex="0" role="region" aria-label=${label}>${start}…</pre>`;
}

function Whole({ value, label }) {
  const [raw, setRaw] = useState(false);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(() => openAtFirst(value));
  const [nth, setNth] = useState(0);
  const found = useMemo(() => search(value, text.trim()), [value, text]);
  const current = found.matches[nth] ?? null;
  const visible = useMemo(
    () => (current === null ? open : new Set([...open, ...found.parents.get(current)])),
    [open, current, found],
  );
  const next = (step) => {
    const total = found.matches.length;
    if (total === 0) return;
    // What was opened to show a match stays open.
    setOpen(visible);
    setNth((nth + step + total) % total);
  };
  return html`<div class="json">
    <div class="json__bar">
      <div class="segments" role="group" aria-label="View">
        <button aria-pressed=${!raw} onClick=${() => setRaw(false)}>Tree</button>
        <button aria-pressed=${raw} onClick=${() => setRaw(true)}>Raw</button>
      </div>
      ${!raw &&
      html`<${Find}
          label=${label}
          text=${text}
          total=${found.matches.length}
          nth=${nth}
          onText=${(each) => (setText(each), setNth(0))}
          onNext=${next}
        />
        <${Fold} value=${value} onOpen=${setOpen} />`}
      <${CopyButton} quiet text=${() => jsonText(value)} label=${`Copy ${label}`} />
    </div>
    ${raw
      ? html`<${Raw} value=${value} label=${label} />`
      : html`<${Tree}
          value=${value}
          label=${label}
          open=${visible}
          onOpen=${setOpen}
          current=${current}
          wanted=${text.trim()}
        />`}
  </div>`;
}

function Find({ label, text, total, nth, onText, onNext }) {
  const onKeyDown = (event) => {
    if (event.key === "Enter") onNext(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && text) onText("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<span class="find">
    <input
      class="field"
      type="search"
      placeholder="Find"
      aria-label=${`Find in ${label}`}
      value=${text}
      onInput=${(event) => onText(event.target.value)}
      onKeyDown=${onKeyDown}
    />
    <span class="find__count" role="status">
      ${text.trim() && (total === 0 ? "none" : `${nth + 1} of ${total}`)}
    </span>
  </span>`;
}

function Fold({ value, onOpen }) {
  if (value === null || typeof value !== "object") return null;
  return html`<span class="json__fold">
    <button class="link" onClick=${() => onOpen(allBranches(value))}>Expand</button>
    <button class="link" onClick=${() => onOpen(new Set([""]))}>Collapse</button>
  </span>`;
}

function Raw({ value, label }) {
  const text = useMemo(() => jsonText(value), [value]);
  const [whole, setWhole] = useState(false);
  const shown = whole ? text : shortened(text, MAX_RAW);
  return html`<pre class="json__raw" tabindex="0" role="region" aria-label=${label}>${shown}</pre>
    ${shown !== text &&
    html`<button class="link" onClick=${() => setWhole(true)}>
      Show all ${size(text.length)}
    </button>`}`;
}

function Tree({ value, label, open, onOpen, current, wanted }) {
  const [shown, setShown] = useState(new Map());
  const [limit, setLimit] = useState(MAX_ROWS);
  const [focused, setFocused] = useState(0);
  const root = useRef(null);
  const rows = useMemo(() => treeRows(value, open, shown), [value, open, shown]);
  const match = current === null ? -1 : rows.findIndex((row) => row.path === current);
  // A match far down is drawn, too.
  const drawn = rows.slice(0, Math.max(limit, match + 50));
  const at = Math.min(focused, drawn.length - 1);
  const toggle = (row, wish = !row.open) => {
    const paths = new Set(open);
    if (wish) paths.add(row.path);
    else paths.delete(row.path);
    onOpen(paths);
  };
  const showMore = (row) => {
    const before = shown.get(row.path) ?? MAX_CHILDREN;
    setShown(new Map(shown).set(row.path, before + 10 * MAX_CHILDREN));
  };
  const onKeyDown = (event) => {
    const row = drawn[at];
    const target = moved(event.key, at, drawn.length, 20);
    if (target !== null) setFocused(target);
    else if (row.more && event.key === "Enter") showMore(row);
    else if (event.key === "ArrowRight" && row.children > 0 && !row.open) toggle(row, true);
    else if (event.key === "ArrowRight") setFocused(Math.min(at + 1, drawn.length - 1));
    else if (event.key === "ArrowLeft" && row.open) toggle(row, false);
    else if (event.key === "ArrowLeft") setFocused(parentOf(drawn, at));
    else if (event.key === "Enter" && row.children > 0) toggle(row);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const id = (index) => `${root.current?.id ?? ""}-${index}`;
  return html`<div
      class="tree"
      role="tree"
      tabindex="0"
      aria-label=${label}
      id=${useTreeId(root)}
      ref=${root}
      aria-activedescendant=${drawn.length > 0 ? id(at) : undefined}
      onKeyDown=${onKeyDown}
    >
      ${drawn.map(
        (row, index) => html`<${TreeRow}
          key=${`${row.path}${row.more ? "…" : ""}`}
          id=${id(index)}
          row=${row}
          isFocused=${index === at}
          isMatch=${index === match}
          wanted=${wanted}
          onPress=${() => {
            setFocused(index);
            if (row.more) showMore(row);
            else if (row.children > 0) toggle(row);
          }}
        />`,
      )}
    </div>
    ${rows.length > drawn.length &&
    html`<button class="link" onClick=${() => setLimit(limit + 2 * MAX_ROWS)}>
      Show more rows (${rows.length - drawn.length} left)
    </button>`}`;
}

let trees = 0;

function useTreeId(root) {
  return useMemo(() => {
    trees += 1;
    return `tree-${trees}`;
  }, [root]);
}

function parentOf(rows, index) {
  let above = index;
  while (above > 0 && rows[above].depth >= rows[index].depth) above -= 1;
  return above;
}

function TreeRow({ id, row, isFocused, isMatch, wanted, onPress }) {
  const shownRow = useRef(null);
  const scroll = (element) => {
    // Only at the moment when it becomes the focused or found row.
    if (element && element !== shownRow.current) element.scrollIntoView?.({ block: "nearest" });
    shownRow.current = element;
  };
  const indent = { paddingInlineStart: `${Math.min(row.depth, MAX_INDENT) * 0.9 + 0.25}rem` };
  const isBranch = row.children > 0;
  return html`<div
    class="tree__row"
    role="treeitem"
    id=${id}
    aria-level=${row.depth + 1}
    aria-expanded=${isBranch ? row.open : undefined}
    aria-selected=${isFocused}
    data-match=${isMatch}
    style=${indent}
    ref=${isMatch || (isFocused && row.depth > 0) ? scroll : undefined}
    onClick=${onPress}
  >
    ${row.more
      ? html`<span class="link">Show more (${row.more} left)</span>`
      : html`<span class="tree__mark" data-open=${row.open} data-branch=${isBranch} />
          ${row.depth > MAX_INDENT &&
          html`<span class="tree__depth" title="Depth">${row.depth}</span>`}
          ${row.key !== null &&
          html`<bdi class="tree__key"><${Marked} text=${row.key} wanted=${wanted} /></bdi>
            <span class="tree__colon">: </span>`}
          <${Value} row=${row} wanted=${wanted} />`}
  </div>`;
}

function Value({ row, wanted }) {
  const [whole, setWhole] = useState(false);
  const { kind, value } = row;
  if (kind === "object" || kind === "list") {
    return html`<span class="tree__value" data-kind=${kind}>
      ${row.open ? (kind === "list" ? "[" : "{") : preview(value)}
    </span>`;
  }
  const text = kind === "string" ? value : String(value ?? null);
  const shown = shortened(text, whole ? MAX_WHOLE_TEXT : MAX_TEXT);
  const show = (event) => {
    event.stopPropagation();
    setWhole(true);
  };
  return html`<bdi class="tree__value" data-kind=${kind}>
      <${Marked} text=${shown} wanted=${wanted} />
    </bdi>
    ${shown !== text &&
    (whole
      ? html`<span class="quiet"> copy to see all ${size(text.length)}</span>`
      : html`<button class="link" tabindex="-1" onClick=${show}>
          Show all ${size(text.length)}
        </button>`)}`;
}

/** A text with what is searched for marked. */
function Marked({ text, wanted }) {
  if (!wanted) return text;
  const parts = [];
  const lower = text.toLowerCase();
  const needle = wanted.toLowerCase();
  let start = 0;
  for (let at = lower.indexOf(needle); at >= 0 && parts.length < 40; ) {
    parts.push(text.slice(start, at), html`<mark>${text.slice(at, at + needle.length)}</mark>`);
    start = at + needle.length;
    at = lower.indexOf(needle, start);
  }
  return [...parts, text.slice(start)];
}

// The state that a turn read and wrote.

import { html, useMemo, useState } from "/assets/libraries/htm.js";

import { clock, count, duration, storedKey } from "../inspector_models/formatting.js";
import { remains } from "../inspector_models/large_values.js";
import { counted, difference } from "../inspector_models/state_difference.js";
import { shortened } from "../text/plain_text.js";
import { JsonView } from "./json_view.js";

const SIGNS = { added: "+", removed: "−", changed: "~" };
const MAX_TEXT = 400;

/** Each read, write and delete of state, in the order in which they happened. */
export function State({ turn }) {
  const entries = turn.state ?? [];
  if (entries.length === 0) return html`<p class="quiet block">This turn used no state.</p>`;
  return entries.map((each, index) => html`<${Entry} key=${index} entry=${each} />`);
}

function Entry({ entry }) {
  // A write without a read before it: nobody knows what it replaced.
  const isRead = entry.op === "read" || entry.known === false;
  const isLarge = Boolean(remains(entry.before) ?? remains(entry.after));
  const isCompared = !isRead && !isLarge;
  const [view, setView] = useState(isCompared ? "changes" : "");
  const changes = useMemo(
    () => (isCompared ? difference(entry.before, entry.after) : []),
    [entry, isCompared],
  );
  const values = [isCompared && "changes", !isRead && "before", "after"].filter(Boolean);
  const names = { changes: "Changes", before: "Before", after: isRead ? "Value" : "After" };
  return html`<section class="block entry">
    <h3>
      <span class="pill" data-tone=${entry.op === "read" ? "quiet" : "accent"}>${entry.op}</span>
      <bdi class="entry__key" title=${entry.key}>${storedKey(entry.key)}</bdi>
    </h3>
    <p class="entry__facts">
      <span>${clock(entry.at)}</span><span>${duration(entry.ms)}</span>
      ${entry.source && html`<span>${entry.source}</span>`}
      ${entry.etag && html`<span>ETag ${entry.etag}</span>`}
      ${isCompared && html`<span>${summary(changes)}</span>`}
      ${!isRead && isLarge && html`<span>too large to compare</span>`}
      ${entry.known === false && html`<span>what it replaced is not known</span>`}
    </p>
    <div class="segments" role="group" aria-label=${`State ${entry.key}`}>
      ${values.map(
        (each) => html`<button
          aria-pressed=${view === each}
          onClick=${() => setView(view === each ? "" : each)}
        >
          ${names[each]}
        </button>`,
      )}
    </div>
    ${view === "changes" && html`<${Changes} changes=${changes} />`}
    ${(view === "before" || view === "after") &&
    (entry[view] === null || entry[view] === undefined
      ? html`<p class="quiet">Nothing is stored.</p>`
      : html`<${JsonView} key=${view} value=${entry[view]} label=${names[view]} />`)}
  </section>`;
}

function summary(changes) {
  if (changes.length === 0) return "no changes";
  const counts = Object.entries(counted(changes)).filter(([, number]) => number > 0);
  return counts.map(([name, number]) => `${number} ${name}`).join(", ");
}

function Changes({ changes }) {
  if (changes.length === 0) {
    return html`<p class="quiet">It was written without a change.</p>`;
  }
  return html`<ul class="changes" aria-label=${count(changes.length, "change")}>
    ${changes.map(
      ({ path, change, before, after }) => html`<li data-change=${change}>
        <span class="changes__sign" aria-hidden="true">${SIGNS[change]}</span>
        <span>
          <bdi>${path || "(the whole value)"}</bdi><span class="visually-hidden"> ${change}: </span>
        </span>
        <span class="changes__values">
          ${change !== "added" && html`<del><bdi>${text(before)}</bdi></del>`}
          ${change === "changed" && html`<span aria-hidden="true">→</span>`}
          ${change !== "removed" && html`<ins><bdi>${text(after)}</bdi></ins>`}
        </span>
      </li>`,
    )}
  </ul>`;
}

const text = (value) => shortened(JSON.stringify(value) ?? "null", MAX_TEXT);

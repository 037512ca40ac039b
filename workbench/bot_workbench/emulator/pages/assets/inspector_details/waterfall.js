// Where a turn's time went, as bars on its time axis.

import { html, useMemo } from "/assets/libraries/htm.js";

import { duration, shortUrl } from "../inspector_models/formatting.js";
import { spoken, waterfall } from "../inspector_models/waterfall_layout.js";

const percent = (fraction) => `${(fraction * 100).toFixed(3)}%`;
const place = (part) => ({ left: percent(part.left), width: percent(part.width) });

/** The waterfall of a turn; `onCall` is called with the id of a call whose bar is pressed. */
export function Waterfall({ turn, onCall }) {
  const { rows, ticks, totalMs } = useMemo(() => waterfall(turn), [turn]);
  return html`<div>
    <div class="waterfall__axis" aria-hidden="true">
      <span />
      <span class="waterfall__ticks">
        ${ticks.map(
          (tick) => html`<span
            style=${{ left: percent(tick / totalMs) }}
            data-first=${tick === 0}
            data-last=${tick / totalMs > 0.94}
          >
            ${duration(tick)}
          </span>`,
        )}
      </span>
      <span />
    </div>
    <ol class="waterfall__rows" aria-label="Time line">
      ${rows.map(
        (row) => html`<${Row} row=${row} ticks=${ticks} total=${totalMs} onCall=${onCall} />`,
      )}
    </ol>
  </div>`;
}

function Row({ row, ticks, total, onCall }) {
  const detail = row.kind === "call" ? shortUrl(row.detail.split(" ")[1]) : row.detail;
  const content = html`<span class="visually-hidden">${spoken(row, duration)}</span>
    <span
      class="waterfall__label"
      aria-hidden="true"
      style=${{ paddingInlineStart: `${row.depth * 0.55}rem` }}
      title=${row.detail ?? row.label}
    >
      ${row.label}${detail && html`<span class="waterfall__detail">${detail}</span>`}
    </span>
    <span class="waterfall__lane" aria-hidden="true">
      ${ticks.map(
        (tick) => html`<i class="waterfall__line" style=${{ left: percent(tick / total) }} />`,
      )}
      <b class="bar" data-kind=${row.kind} data-failed=${row.failed} style=${place(row)} />
      ${row.parts.length > 1 &&
      row.parts.map(
        (part) => html`<b
          class="bar bar--part"
          data-kind=${row.kind}
          data-failed=${part.failed}
          style=${place(part)}
        />`,
      )}
    </span>
    <span class="waterfall__ms" aria-hidden="true">${duration(row.ms)}</span>`;
  return html`<li>
    ${row.kind === "call"
      ? html`<button class="waterfall__row" onClick=${() => onCall(row.id)}>${content}</button>`
      : html`<div class="waterfall__row">${content}</div>`}
  </li>`;
}

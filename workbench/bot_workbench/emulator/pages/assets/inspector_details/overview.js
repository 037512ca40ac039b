// A turn at a glance: what went wrong, where its time went, what was answered.

import { html } from "/assets/libraries/htm.js";

import { missingProperties } from "../adaptive/required.js";
import { Icon } from "../inspector/icons.js";
import { clock, count, duration } from "../inspector_models/formatting.js";
import { JsonView } from "./json_view.js";
import { Traceback } from "./log.js";
import { Waterfall } from "./waterfall.js";

/** The overview of a turn; `onCall` shows a call. */
export function Overview({ turn, onCall }) {
  const failed = (turn.checks ?? []).filter((each) => each.outcome === "failed");
  return html`${turn.hint && html`<p class="note" data-tone="warn">${turn.hint}</p>`}
    ${(turn.error || turn.traceback) && html`<${Failure} turn=${turn} />`}
    ${failed.map(
      (each) => html`<p class="note" data-tone="bad">
        <strong>Refused: ${each.name}.</strong> ${each.detail}
      </p>`,
    )}
    ${missingProperties([turn.replies, turn.response?.body]).map(
      (remark) => html`<p class="note" data-tone="warn">
        <strong>An Adaptive Card:</strong> ${remark}
      </p>`,
    )}
    ${turn.dropped &&
    html`<p class="note" data-tone="quiet">
      The details of this turn were dropped, to save memory.
    </p>`}
    ${turn.omitted > 0 &&
    html`<p class="note" data-tone="quiet">
      ${count(turn.omitted, "detail")} of this turn are left out: there were more than are kept.
    </p>`}
    ${!turn.detailed &&
    !turn.dropped &&
    html`<p class="note" data-tone="quiet">
      Only what the channel saw of this turn is known: the bot's process did not report it.
    </p>`}
    <section class="block">
      <h3>Time</h3>
      <${Waterfall} turn=${turn} onCall=${onCall} />
    </section>
    <${Answer} turn=${turn} />`;
}

function Failure({ turn }) {
  return html`<section class="block failure">
    <h3><${Icon} name="warning" />${turn.error || "The turn failed"}</h3>
    ${turn.traceback && html`<${Traceback} traceback=${turn.traceback} />`}
  </section>`;
}

function Answer({ turn }) {
  const { response, request } = turn;
  if (!response) return null;
  return html`<section class="block">
    <h3>Response to the channel</h3>
    <p class="entry__facts">
      <span>${response.status}</span>${request?.url && html`<bdi>POST ${request.url}</bdi>`}
    </p>
    ${response.body !== null && html`<${JsonView} value=${response.body} label="Response" />`}
  </section>`;
}

/** The steps of a queued turn. */
export function Queue({ turn }) {
  return html`<ol class="steps">
    ${turn.queue.map(
      (step) => html`<li data-failed=${step.step === "dead_letter"}>
        <span class="steps__at">${clock(step.at)}</span>
        <span class="steps__name">${String(step.step).replaceAll("_", " ")}</span>
        <bdi class="quiet">${detailOf(step.detail)}</bdi>
        <span class="steps__ms">
          ${step.step === "drain" ? "waited " : ""}${step.ms ? duration(step.ms) : ""}
        </span>
      </li>`,
    )}
  </ol>`;
}

const detailOf = (detail) =>
  typeof detail === "string" ? detail : detail ? JSON.stringify(detail) : "";

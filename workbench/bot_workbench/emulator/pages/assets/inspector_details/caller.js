// Who sent the activity, and what was checked before the bot ran.

import { html } from "/assets/libraries/htm.js";

import { Icon } from "../inspector/icons.js";
import { dateAndTime, distance } from "../inspector_models/formatting.js";

const TIMES = new Set(["exp", "nbf", "iat", "auth_time"]);

const OUTCOMES = {
  passed: ["check", "good"],
  failed: ["close", "bad"],
  skipped: ["skip", "quiet"],
};

/** Claims of the caller's token, and the checks with their outcomes. */
export function Caller({ turn }) {
  const { header, verified } = turn.caller ?? {};
  const claims = Object.entries(turn.claims ?? {});
  const signed = Object.entries(header ?? {}).map(([name, value]) => `${name} ${value}`);
  return html`<section class="block">
      <h3>Checks</h3>
      ${(turn.checks ?? []).length === 0
        ? html`<p class="quiet">Nothing was recorded about the caller of this turn.</p>`
        : html`<ul class="checks">
            ${turn.checks.map((each) => html`<${Check} check=${each} />`)}
          </ul>`}
    </section>
    <section class="block">
      <h3>Claims of the caller's token</h3>
      ${verified !== undefined &&
      html`<p class="entry__facts">
        <span>${verified ? "signature verified" : "not verified"}</span>
        ${signed.map((each) => html`<bdi>${each}</bdi>`)}
      </p>`}
      ${claims.length === 0
        ? html`<p class="quiet">No token was read.</p>`
        : html`<dl class="facts">
            ${claims.map(
              ([name, value]) => html`<dt>${name}</dt>
                <dd><${Claim} name=${name} value=${value} at=${turn.at} /></dd>`,
            )}
          </dl>`}
    </section>`;
}

function Check({ check }) {
  const [icon, tone] = OUTCOMES[check.outcome] ?? OUTCOMES.skipped;
  return html`<li data-tone=${tone}>
    <${Icon} name=${icon} />
    <span>${check.name}<span class="visually-hidden">: </span></span>
    <span class="checks__outcome">${check.outcome}</span>
    <bdi class="checks__detail">${check.detail}</bdi>
  </li>`;
}

function Claim({ name, value, at }) {
  if (TIMES.has(name) && typeof value === "number") {
    return html`<span>${dateAndTime(value)}</span>
      <span class="quiet"> ${distance(value, at)} · ${value}</span>`;
  }
  return html`<bdi>${typeof value === "string" ? value : JSON.stringify(value)}</bdi>`;
}

// The calls that a turn made, with the attempts of each.

import { html, useEffect, useRef } from "/assets/libraries/htm.js";

import { count, duration, shortUrl } from "../inspector_models/formatting.js";
import { attemptFailed } from "../inspector_models/waterfall_layout.js";
import { CopyButton } from "./copy.js";
import { JsonView } from "./json_view.js";

/** The calls; `shown` is the id of the one that is open at first. */
export function Calls({ turn, shown }) {
  const calls = [...(turn.calls ?? [])].sort((one, other) => one.at - other.at);
  if (calls.length === 0) return html`<p class="quiet block">This turn made no calls.</p>`;
  return calls.map(
    (call) =>
      html`<${Call} key=${call.id} call=${call} turn=${turn} isShown=${call.id === shown} />`,
  );
}

function Call({ call, turn, isShown }) {
  const element = useRef(null);
  useEffect(() => {
    if (!isShown) return;
    element.current.open = true;
    element.current.scrollIntoView({ block: "nearest" });
  }, [isShown]);
  const attempts = call.attempts ?? [];
  const last = attempts.at(-1) ?? {};
  const tone = attemptFailed(last, call) ? "bad" : last.status >= 400 ? "quiet" : "good";
  return html`<details class="call" ref=${element}>
    <summary>
      <span class="call__method">${call.method}</span>
      <span class="call__main">
        <span class="call__purpose">${call.purpose || "call"}</span>
        <bdi class="call__url" title=${call.url}>${shortUrl(call.url)}</bdi>
      </span>
      ${attempts.length > 1 &&
      html`<span class="pill" data-tone="warn">${count(attempts.length, "attempt")}</span>`}
      <span class="pill" data-tone=${tone}>${last.status ?? last.error ?? "…"}</span>
      <span class="call__ms">${duration(call.ms)}</span>
    </summary>
    <div class="call__body">
      <p class="call__full">
        <bdi>${call.url}</bdi>
        <${CopyButton} quiet text=${call.url} label="Copy URL" />
      </p>
      <table class="attempts">
        <caption class="visually-hidden">
          Attempts
        </caption>
        <thead>
          <tr>
            <th scope="col">Attempt</th>
            <th scope="col">At</th>
            <th scope="col">Result</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          ${attempts.map(
            (each, index) =>
              html`<${Attempt} attempt=${each} number=${index + 1} call=${call} turn=${turn} />`,
          )}
        </tbody>
      </table>
      <${Body} name="Request" value=${call.request} />
      <${Body} name="Response" value=${call.response} />
    </div>
  </details>`;
}

function Attempt({ attempt, number, call, turn }) {
  const isNew = attempt.connect ? " (new connection)" : "";
  return html`<tr data-failed=${attemptFailed(attempt, call)}>
    <td>${number}</td>
    <td>+${duration(Math.max(0, (attempt.at - turn.at) * 1000))}</td>
    <td>${attempt.error || attempt.status || "…"}${isNew}</td>
    <td>${duration(attempt.ms)}</td>
  </tr>`;
}

function Body({ name, value }) {
  if (value === null || value === undefined) {
    return html`<p class="quiet">${name}: no body, or it is not recorded</p>`;
  }
  return html`<h3>${name}</h3>
    <${JsonView} value=${value} label=${name} />`;
}

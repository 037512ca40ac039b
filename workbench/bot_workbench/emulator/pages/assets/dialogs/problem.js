import { html } from "/assets/libraries/htm.js";

/** What went wrong. `problem`: {title, detail}. */
export function Problem({ problem }) {
  return html`<div class="problem" role="alert">
    <strong>${problem.title}</strong>
    <p>${problem.detail}</p>
  </div>`;
}

// What the bot's processes logged outside of turns: at their start, and in the background.

import { html } from "/assets/libraries/htm.js";

import { Log } from "../inspector_details/log.js";
import { PaneHead } from "./pane_head.js";

/** The pane with the newest of these lines. */
export function LogPane({ lines, onClose }) {
  return html`<div class="pane">
    <${PaneHead} title="Log outside of turns" onClose=${onClose} />
    <div class="pane__body">
      ${lines.length > 0
        ? html`<${Log} lines=${lines} />`
        : html`<p class="quiet">The log was cleared. New lines appear here.</p>`}
    </div>
  </div>`;
}

// The head of what is shown beside the list.

import { html, useLayoutEffect, useRef } from "/assets/libraries/htm.js";

import { Icon } from "../inspector/icons.js";

/** A pane's heading, with the button that closes it; `focus` moves the focus to the heading. */
export function PaneHead({ title, focus = true, onClose, children = null }) {
  const heading = useRef(null);
  useLayoutEffect(() => {
    if (focus) heading.current.focus();
  }, [focus]);
  return html`<div class="pane__head">
    <button class="icon-button" aria-label="Close" title="Close (Esc)" onClick=${onClose}>
      <${Icon} name="back" />
    </button>
    <h2 ref=${heading} tabindex="-1">${title}</h2>
    ${children}
  </div>`;
}

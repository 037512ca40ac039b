import { html } from "/assets/libraries/htm.js";
import { Attachment } from "../cards/attachment.js";
import { sizeText } from "../text/file_facts.js";
import { Icon } from "../shared/icons.js";

/** Files and cards that the next message will have. */
export function Tray({ files, context }) {
  const { attached } = context.state;
  if (files.chosen.length === 0 && attached.length === 0) return null;
  const detach = (index) =>
    context.dispatch({
      type: "attached",
      attached: attached.filter((_, other) => other !== index),
    });
  return html`<ul class="tray" aria-label="To be sent">
    ${files.chosen.map(
      ({ key, file, preview }) =>
        html`<li key=${key} class="tray__file">
          ${preview ? html`<img src=${preview} alt="" />` : html`<${Icon} name="file" />`}
          <span class="tray__name">${file.name}</span
          ><span class="quiet">${sizeText(file.size)}</span>
          <${Remove} name=${file.name} onRemove=${() => files.remove(key)} />
        </li>`,
    )}
    ${attached.map(
      (attachment, index) =>
        html`<li key=${index} class="tray__card">
          <${Attachment} attachment=${attachment} activity=${{}} context=${context} />
          <${Remove} name="the card" onRemove=${() => detach(index)} />
        </li>`,
    )}
  </ul>`;
}

function Remove({ name, onRemove }) {
  return html`<button
    type="button"
    class="icon-button"
    aria-label=${`Remove ${name}`}
    onClick=${onRemove}
  >
    <${Icon} name="close" />
  </button>`;
}

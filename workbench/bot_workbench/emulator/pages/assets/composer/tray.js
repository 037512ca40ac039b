import { html } from "/assets/libraries/htm.js";
import { Attachment } from "../cards/attachment.js";
import { sizeText } from "../text/file_facts.js";
import { Icon, IconButton } from "../shared/icons.js";

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
          <${IconButton}
            icon="close"
            label=${`Remove ${file.name}`}
            onClick=${() => files.remove(key)}
          />
        </li>`,
    )}
    ${attached.map(
      (attachment, index) =>
        html`<li key=${index}>
          <${Attachment} attachment=${attachment} activity=${{}} context=${context} />
          <${IconButton} icon="close" label="Remove the card" onClick=${() => detach(index)} />
        </li>`,
    )}
  </ul>`;
}

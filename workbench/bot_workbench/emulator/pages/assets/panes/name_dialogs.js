import { html, useLayoutEffect, useRef } from "/assets/libraries/htm.js";
import { create } from "./rail.js";

/** Asks for a channel's name. */
export function NewChannel({ team, context, onClose }) {
  const submit = (name) => create(context, { kind: "channel", team: team.id, name });
  const title = `New channel in ${team.name}`;
  return html`<${NameDialog}
    title=${title}
    button="Create"
    onSubmit=${submit}
    onClose=${onClose}
  />`;
}

/** Asks for another name of a group chat or a channel. */
export function Rename({ context, onClose }) {
  const { conversation, api, attempt } = context;
  const submit = (name) => attempt(() => api.rename(name));
  const kind = conversation.kind === "channel" ? "channel" : "group chat";
  return html`<${NameDialog}
    title=${`Rename the ${kind}`}
    name=${conversation.name}
    button="Rename"
    onSubmit=${submit}
    onClose=${onClose}
  />`;
}

function NameDialog({ title, name = "", button, onSubmit, onClose }) {
  const dialog = useRef(null);
  useLayoutEffect(() => dialog.current.showModal(), []);
  const submit = (event) => {
    event.preventDefault();
    const chosen = new FormData(event.target).get("name").trim();
    onClose();
    if (chosen) onSubmit(chosen);
  };
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="name-title" onClose=${onClose}>
    <form onSubmit=${submit}>
      <h2 id="name-title">${title}</h2>
      <label class="label" for="name-field">Name</label>
      <input
        id="name-field"
        class="field"
        name="name"
        defaultValue=${name}
        maxlength="50"
        required
        autofocus
        autocomplete="off"
      />
      <div class="dialog__buttons">
        <button type="button" class="button" onClick=${onClose}>Cancel</button>
        <button type="submit" class="button button--primary">${button}</button>
      </div>
    </form>
  </dialog>`;
}

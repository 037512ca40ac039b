import { html, useState } from "/assets/libraries/htm.js";
import { openDialog } from "../dialogs/dialog_store.js";
import { startAction } from "./action_command.js";
import { freeCommand } from "./app_commands.js";
import { openSearch } from "./search_command.js";

const KINDS = [
  ["query", "Search (composeExtension/query)"],
  ["action", "Action with a dialog (composeExtension/fetchTask)"],
];

/** Ask for a command that the manifest does not name. */
export function openFreeForm() {
  openDialog({ title: "Another command", width: 480, height: 320, body: FreeForm, props: {} });
}

function FreeForm({ context }) {
  const [entered, setEntered] = useState({ kind: "query", id: "", parameter: "" });
  const change =
    (name) =>
    ({ target }) =>
      setEntered({ ...entered, [name]: target.value });
  const submit = (event) => {
    event.preventDefault();
    const { kind, id, parameter } = entered;
    const command = freeCommand(kind, id.trim(), parameter.trim());
    return kind === "query" ? openSearch(command) : startAction(command, "compose", context);
  };
  return html`<form onSubmit=${submit}>
    <div class="form__row">
      <label class="label" for="free-kind">Kind</label>
      <select id="free-kind" class="field" value=${entered.kind} onChange=${change("kind")}>
        ${KINDS.map(([value, name]) => html`<option value=${value}>${name}</option>`)}
      </select>
    </div>
    <${Field} name="id" label="Command ID" value=${entered.id} change=${change} />
    ${
      entered.kind === "query" &&
      html`<${Field}
        name="parameter"
        label="Parameter name"
        value=${entered.parameter}
        change=${change}
      />`
    }
    <div class="dialog__buttons">
      <button type="submit" class="button button--primary">Open</button>
    </div>
  </form>`;
}

function Field({ name, label, value, change }) {
  const id = `free-${name}`;
  return html`<div class="form__row">
    <label class="label" for=${id}>${label}</label>
    <input
      id=${id}
      class="field"
      required
      value=${value}
      autocomplete="off"
      onInput=${change(name)}
    />
  </div>`;
}

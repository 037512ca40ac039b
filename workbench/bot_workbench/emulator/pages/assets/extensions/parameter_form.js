import { html, useState } from "/assets/libraries/htm.js";
import { objects, text } from "../adaptive/values.js";

const TYPES = { number: "number", date: "date", time: "time" };
const OTHERS = ["textarea", "toggle", "choiceset"];

/** The form of an action command's static parameters. */
export function ParameterForm({ command, submit }) {
  const [typed, setTyped] = useState({});
  const onSubmit = (event) => {
    event.preventDefault();
    submit(typed);
  };
  return html`<form onSubmit=${onSubmit}>
    ${objects(command.parameters).map(
      (parameter) =>
        html`<${Parameter}
          parameter=${parameter}
          value=${typed[parameter.name] ?? ""}
          change=${(value) => setTyped({ ...typed, [parameter.name]: value })}
        />`,
    )}
    <div class="dialog__buttons">
      <button type="submit" class="button button--primary">Submit</button>
    </div>
  </form>`;
}

/** A field for a parameter of the manifest. */
export function Parameter({ parameter, value, change }) {
  const { name, title, description, inputType, choices } = parameter;
  const id = `parameter-${name}`;
  const onChange = ({ target }) =>
    change(target.type === "checkbox" ? String(target.checked) : target.value);
  const shared = {
    id,
    value,
    placeholder: text(description),
    onInput: onChange,
    class: "field",
    autocomplete: "off",
  };
  return html`<div class="form__row">
    <label class="label" for=${id}>${text(title) || name}</label>
    ${inputType === "textarea" && html`<textarea rows="3" ...${shared}></textarea>`}
    ${
      inputType === "toggle" &&
      html`<input id=${id} type="checkbox" checked=${value === "true"} onChange=${onChange} />`
    }
    ${
      inputType === "choiceset" &&
      html`<select id=${id} class="field" value=${value} onChange=${onChange}>
        <option value=""></option>
        ${objects(choices).map(
          (each) => html`<option value=${text(each.value)}>${text(each.title)}</option>`,
        )}
      </select>`
    }
    ${
      !OTHERS.includes(inputType) && html`<input type=${TYPES[inputType] ?? "text"} ...${shared} />`
    }
  </div>`;
}

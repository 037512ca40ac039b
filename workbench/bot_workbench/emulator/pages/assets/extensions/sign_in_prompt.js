import { html, useState } from "/assets/libraries/htm.js";
import { Problem } from "../dialogs/problem.js";

const NO_SIGN_IN = "The sign-in did not succeed";

/**
 * The bot wants the user to sign in, or to configure the extension, before it answers.
 *
 * @param {{kind, url, title}} outcome of extension_response.js.
 * @param {(state: string) => void} again repeats the request with what the page has returned.
 */
export function SignInPrompt({ context, outcome, again }) {
  const [code, setCode] = useState("");
  const [failure, setFailure] = useState("");
  const submit = (event) => {
    event.preventDefault();
    again(code);
  };
  const words =
    outcome.kind === "signIn"
      ? "You'll need to sign in to use this app."
      : "You'll need to set up this app.";
  return html`${failure && html`<${Problem} problem=${{ title: NO_SIGN_IN, detail: failure }} />`}
    <p>${words}</p>
    <p>
      <button
        type="button"
        class="button button--primary"
        onClick=${() => context.signIn(outcome.url, again, setFailure)}
      >
        ${outcome.title}
      </button>
    </p>
    <details>
      <summary>Enter a code</summary>
      <form onSubmit=${submit}>
        <label class="label" for="sign-in-state">Code</label>
        <input
          id="sign-in-state"
          class="field"
          value=${code}
          autocomplete="off"
          onInput=${({ target }) => setCode(target.value)}
        />
        <div class="dialog__buttons"><button type="submit" class="button">Continue</button></div>
      </form>
    </details>`;
}

import { html, useState } from "/assets/libraries/htm.js";

/**
 * The bot wants the user to sign in, or to configure the extension, before it answers.
 *
 * @param {{kind, url, title}} outcome of extension_response.js.
 * @param {(state: string) => void} again repeats the request with what the page has returned.
 */
export function SignInPrompt({ context, outcome, again }) {
  const [code, setCode] = useState("");
  const submit = (event) => {
    event.preventDefault();
    again(code);
  };
  const words =
    outcome.kind === "signIn"
      ? "You'll need to sign in to use this app."
      : "You'll need to set up this app.";
  return html`<p>${words}</p>
    <p>
      <button
        type="button"
        class="button button--primary"
        onClick=${() => context.signIn(outcome.url, again)}
      >
        ${outcome.title}
      </button>
    </p>
    <details>
      <summary>The page has shown a code or returned nothing</summary>
      <form onSubmit=${submit}>
        <label class="label" for="sign-in-state">Code</label>
        <input
          id="sign-in-state"
          class="field"
          value=${code}
          autocomplete="off"
          onInput=${({ target }) => setCode(target.value)}
        />
        <div class="dialog__buttons"><button type="submit" class="button">Go on</button></div>
      </form>
    </details>`;
}

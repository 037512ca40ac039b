import { html, useEffect, useRef } from "/assets/libraries/htm.js";
import { create } from "./rail.js";

/** Asks for the text of a new post in a channel. */
export function NewConversation({ context, onClose }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  const submit = async (event) => {
    event.preventDefault();
    const text = new FormData(event.target).get("post");
    onClose();
    await create(context, { kind: "channel", post: text });
  };
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="new-post" onClose=${onClose}>
    <form onSubmit=${submit}>
      <h2 id="new-post">New post in a channel</h2>
      <label for="new-post-text">Text</label>
      <textarea id="new-post-text" class="field" name="post" rows="4" required></textarea>
      <div class="dialog__buttons">
        <button type="button" class="button" onClick=${onClose}>Cancel</button>
        <button type="submit" class="button button--primary">Post</button>
      </div>
    </form>
  </dialog>`;
}

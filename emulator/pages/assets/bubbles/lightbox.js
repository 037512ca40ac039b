import { html, useEffect, useRef } from "/assets/libraries/htm.js";
import { Icon } from "../shared/icons.js";

/** An image as large as the window; a click or Escape closes it. */
export function Lightbox({ image, onClose }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog
    ref=${dialog}
    class="lightbox"
    aria-label=${image.name}
    onClose=${onClose}
    onClick=${onClose}
  >
    <img src=${image.url} alt=${image.name} />
    <button
      type="button"
      class="icon-button lightbox__close"
      aria-label="Close the image"
      onClick=${onClose}
    >
      <${Icon} name="close" />
    </button>
  </dialog>`;
}

import { html, useLayoutEffect, useRef } from "/assets/libraries/htm.js";
import { IconButton } from "../shared/icons.js";

/** An image as large as the window; a click or Escape closes it. */
export function Lightbox({ image, onClose }) {
  const dialog = useRef(null);
  useLayoutEffect(() => dialog.current.showModal(), []);
  return html`<dialog
    ref=${dialog}
    class="lightbox"
    aria-label=${image.name}
    onClose=${onClose}
    onClick=${onClose}
  >
    <img src=${image.url} alt=${image.name} />
    <${IconButton}
      icon="close"
      class="lightbox__close"
      label="Close the image"
      onClick=${onClose}
    />
  </dialog>`;
}

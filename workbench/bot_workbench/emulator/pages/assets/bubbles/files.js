import { html } from "/assets/libraries/htm.js";
import { fileKind, sizeText } from "../text/file_facts.js";
import { Icon } from "../shared/icons.js";

export { fileOf, imageOf } from "../text/file_facts.js";

/** An image, which opens large. */
export function ImageAttachment({ image, context }) {
  const open = () => context.openImage(image);
  return html`<button
    type="button"
    class="image"
    aria-label=${`Open the image ${image.name}`}
    onClick=${open}
  >
    <img src=${image.url} alt=${image.name} loading="lazy" />
  </button>`;
}

/** A file, with its name, its kind and its size. */
export function FileAttachment({ file }) {
  const { name, url, size } = file;
  const facts = [fileKind(name), sizeText(size)].filter(Boolean).join(" · ");
  const content = html`<span class="file__icon"><${Icon} name="file" /></span>
    <span class="file__names"
      ><span class="file__name">${name}</span><span class="file__facts">${facts}</span></span
    >`;
  return url
    ? html`<a class="file" href=${url} target="_blank" rel="noopener noreferrer" download=${name}
        >${content}</a
      >`
    : html`<span class="file">${content}</span>`;
}

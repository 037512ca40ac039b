import { html } from "/assets/libraries/htm.js";
import { cardMarkdown } from "../adaptive/card_markdown.js";
import { runEffect } from "../adaptive/card_actions.js";
import { cardActionEffect } from "../adaptive/card_effects.js";
import { imageUrl, object, objects, text, webUrl } from "../adaptive/values.js";

/** A hero card: its picture above the text. */
export function HeroCard({ content, activity, context }) {
  return html`<article class="card card--classic">
    <${Picture} image=${objects(content.images)[0]} from=${{ activity, context }} />
    <${Texts} content=${content} />
    <${Buttons} buttons=${content.buttons} from=${{ activity, context }} />
  </article>`;
}

/** A thumbnail card: its picture beside the text. */
export function ThumbnailCard({ content, activity, context }) {
  return html`<article class="card card--classic card--thumbnail">
    <${Texts} content=${content} />
    <${Picture} image=${objects(content.images)[0]} from=${{ activity, context }} />
    <${Buttons} buttons=${content.buttons} from=${{ activity, context }} />
  </article>`;
}

/** A receipt: facts, items and sums. */
export function ReceiptCard({ content, activity, context }) {
  const rows = [
    ["Tax", content.tax],
    ["VAT", content.vat],
    ["Total", content.total],
  ];
  return html`<article class="card card--classic">
    <h3>${text(content.title) || "Receipt"}</h3>
    <dl class="card__facts">
      ${objects(content.facts).map(
        ({ key, value }) =>
          html`<div>
            <dt>${text(key)}</dt>
            <dd>${text(value)}</dd>
          </div>`,
      )}
    </dl>
    <ul class="card__items">
      ${objects(content.items).map((item) => html`<${ReceiptItem} item=${item} />`)}
    </ul>
    <dl class="card__facts card__sums">
      ${rows
        .filter(([, value]) => text(value))
        .map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${text(value)}</dd>
            </div>`,
        )}
    </dl>
    <${Buttons} buttons=${content.buttons} from=${{ activity, context }} />
  </article>`;
}

/** A card with animation, audio or video: Teams does not play them; they are links. */
export function MediaCard({ content, activity, context }) {
  const media = objects(content.media).filter(({ url }) => webUrl(url));
  return html`<article class="card card--classic">
    <${Picture} image=${object(content.image)} from=${{ activity, context }} />
    <${Texts} content=${content} />
    <ul class="card__links">
      ${media.map(
        ({ url, profile }) =>
          html`<li>
            <a href=${webUrl(url)} target="_blank" rel="noopener noreferrer"
              >${text(profile) || url}</a
            >
          </li>`,
      )}
    </ul>
    <p class="card__note">Teams does not play media cards.</p>
    <${Buttons} buttons=${content.buttons} from=${{ activity, context }} />
  </article>`;
}

/** A list card: rows with an icon and a press each. */
export function ListCard({ content, activity, context }) {
  return html`<article class="card card--classic">
    <h3>${text(content.title)}</h3>
    <ul class="card__rows">
      ${objects(content.items).map(
        (item) => html`<${ListRow} item=${item} from=${{ activity, context }} />`,
      )}
    </ul>
    <${Buttons} buttons=${content.buttons} from=${{ activity, context }} />
  </article>`;
}

/** A card that this page does not draw, with the reason. */
export function UnshownCard({ title, detail, content }) {
  return html`<div class="card card--unshown">
    <strong>${title}</strong>
    <p>${detail}</p>
    <details>
      <summary>JSON</summary>
      <pre tabindex="0">${JSON.stringify(content, null, 2)}</pre>
    </details>
  </div>`;
}

function Texts({ content }) {
  const markup = { __html: cardMarkdown(text(content.text)) };
  return html`<div class="card__texts">
    ${text(content.title) && html`<h3>${text(content.title)}</h3>`}
    ${text(content.subtitle) && html`<p class="card__subtitle">${text(content.subtitle)}</p>`}
    ${text(content.text) && html`<div class="card__text" dangerouslySetInnerHTML=${markup}></div>`}
  </div>`;
}

function Picture({ image, from }) {
  const { url, alt, tap } = object(image);
  const source = imageUrl(url);
  if (!source) return null;
  const picture = html`<img class="card__picture" src=${source} alt=${text(alt)} />`;
  if (!tap) return picture;
  return html`<button
    type="button"
    class="card__tap"
    aria-label=${text(alt) || text(tap.title) || "Open"}
    onClick=${() => runEffect(cardActionEffect(tap), from)}
  >
    ${picture}
  </button>`;
}

function ReceiptItem({ item }) {
  const image = imageUrl(object(item.image).url);
  return html`<li>
    ${image && html`<img src=${image} alt=${text(object(item.image).alt)} />`}
    <span><strong>${text(item.title)}</strong> ${text(item.subtitle)}</span>
    <span>${text(item.quantity) && `${item.quantity} × `}${text(item.price)}</span>
  </li>`;
}

function ListRow({ item, from }) {
  const icon = imageUrl(item.icon);
  const words = html`${icon && html`<img src=${icon} alt="" />`}<span
      ><strong>${text(item.title)}</strong><br />${text(item.subtitle)}</span
    >`;
  if (!item.tap) return html`<li class="card__row">${words}</li>`;
  return html`<li>
    <button
      type="button"
      class="card__row"
      onClick=${() => runEffect(cardActionEffect(item.tap), from)}
    >
      ${words}
    </button>
  </li>`;
}

/** The buttons of a card; Teams shows six. */
function Buttons({ buttons, from }) {
  const shown = objects(buttons).slice(0, 6);
  if (!shown.length) return null;
  const press = (button) => runEffect(cardActionEffect(button), from);
  return html`<div class="card__buttons">
    ${shown.map(
      (button) =>
        html`<button type="button" class="button button--small" onClick=${() => press(button)}>
          ${text(button.title) || text(button.type)}
        </button>`,
    )}
  </div>`;
}

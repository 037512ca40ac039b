import { html, useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";
import { withMentions } from "./card_mentions.js";
import { cardMarkdown } from "./card_markdown.js";
import { HOST_CONFIG, isTooNew } from "./host_config.js";
import { missingProperties } from "./required.js";
import { imageUrl, isObject, webUrl } from "./values.js";

/**
 * An Adaptive Card.
 *
 * @param {object} card its JSON.
 * @param {(action: {type, id, title, verb, data, url}) => void} onAction a button was pressed;
 *   `data` has the inputs' values.
 * @param {(query: {dataset, text, count, skip}) => Promise<{title, value}[]>} onSearch the choices
 *   of a choice set with `choices.data`; a rejection's message is shown.
 * @param {boolean} busy whether an action is under way.
 * @param {boolean} isStatic whether nothing in it can be used.
 */
export function AdaptiveCard({
  card,
  onAction,
  onSearch,
  openUrl,
  busy = false,
  isStatic = false,
}) {
  const place = useRef(null);
  const handlers = useRef({});
  handlers.current = { onAction, onSearch, openUrl };
  const [remarks, setRemarks] = useState([]);
  const source = JSON.stringify(card);
  useLayoutEffect(() => {
    const rendered = renderCard(JSON.parse(source), handlers, isStatic);
    place.current.replaceChildren(...rendered.elements);
    setRemarks([...missingProperties(card), ...rendered.remarks]);
  }, [source, isStatic]);
  return html`<div class="card card--adaptive" aria-busy=${busy}>
    <div ref=${place} onClick=${(event) => followLink(event, openUrl)}></div>
    ${
      busy &&
      html`<div class="card__progress" role="progressbar" aria-label="The bot is working"></div>`
    }
    ${remarks.length > 0 && html`<${Remarks} remarks=${remarks} />`}
  </div>`;
}

function Remarks({ remarks }) {
  const count = remarks.length === 1 ? "1 remark" : `${remarks.length} remarks`;
  return html`<details class="card__remarks">
    <summary>${count} on this card</summary>
    <ul>
      ${remarks.map((remark) => html`<li>${remark}</li>`)}
    </ul>
  </details>`;
}

/** The card's elements, and remarks on how Teams shows it. */
function renderCard(json, handlers, isStatic) {
  if (!globalThis.AdaptiveCards) {
    return noted("Cards cannot be shown without their library: run make setup, then reload.");
  }
  if (isTooNew(json.version)) {
    const remark = `Teams shows the fallback text: the card's version is ${json.version}.`;
    return noted(json.fallbackText || "This card is too new.", [remark]);
  }
  const card = newCard(handlers, isStatic);
  const { SerializationContext, Versions } = globalThis.AdaptiveCards;
  const context = new SerializationContext(Versions.v1_6);
  try {
    card.parse(withMentions(json), context);
    keepTexts(card);
    const element = card.render();
    if (!element) return noted("This card is empty.", remarksOf(context));
    makeAccessible(card, element);
    return { elements: [element], remarks: [...remarksOf(context), ...blockedImages(element)] };
  } catch (error) {
    return noted(`This card cannot be rendered: ${error.message}`, remarksOf(context));
  }
}

/** The renderer fails if it is to add inputs to data that is a text. */
function keepTexts(card) {
  for (const action of card.getAllActions())
    if (typeof action.data === "string") action.associatedInputs = "none";
}

function newCard(handlers, isStatic) {
  const { AdaptiveCard: Card, HostConfig } = globalThis.AdaptiveCards;
  Card.onProcessMarkdown = (words, result) => {
    Object.assign(result, { outputHtml: cardMarkdown(words), didProcess: true });
  };
  const card = new Card();
  card.hostConfig = new HostConfig({ ...HOST_CONFIG, supportsInteractivity: !isStatic });
  const found = new Map();
  card.onExecuteAction = (action) => handlers.current.onAction?.(actionFacts(action, found));
  card.onInputValueChanged = (input) => search(input, handlers.current.onSearch, found);
  return card;
}

/** `found`: the choices that the bot has found, values by title, by the input's id. */
function actionFacts(action, found) {
  const { id, title, verb, data, url } = action;
  return { type: action.getJsonTypeName(), id, title, verb, data: withChosen(data, found), url };
}

/** The renderer has only the titles of choices that were found later. */
function withChosen(data, found) {
  if (!isObject(data)) return data;
  const valueOf = (id, title) => found.get(id)?.get(title) ?? title;
  return Object.fromEntries(Object.entries(data).map(([id, value]) => [id, valueOf(id, value)]));
}

async function search(input, onSearch, found) {
  if (!onSearch || !input.isDynamicTypeahead?.()) return;
  const words = input.getFilterForDynamicSearch();
  if (!words || found.get(input.id)?.has(words)) return;
  const { dataset, count, skip } = input.choicesData;
  input.showLoadingIndicator();
  try {
    const choices = await onSearch({ dataset, text: words, count, skip });
    const values = choices.map(({ title, value }) => [title, value]);
    found.set(input.id, new Map([...(found.get(input.id) ?? []), ...values]));
    const { Choice } = globalThis.AdaptiveCards;
    input.renderChoices(
      words,
      choices.map(({ title, value }) => new Choice(title, value)),
    );
  } catch (error) {
    input.showErrorIndicator(words, error.message);
  } finally {
    input.removeLoadingIndicator();
  }
}

function remarksOf(context) {
  const count = context.eventCount;
  const messages = Array.from({ length: count }, (_, index) => context.getEventAt(index).message);
  return [...new Set(messages)];
}

/** Images that the page's policy does not load: Teams, too, loads https only. */
function blockedImages(element) {
  const sources = [...element.querySelectorAll("img")].map(({ src }) => src);
  return sources
    .filter((src) => src && (!imageUrl(src) || src.startsWith("http:")))
    .map((src) => `Teams loads images by https only: ${src}`);
}

/** What the renderer leaves out: texts of pictures, roles of buttons, names of fields. */
function makeAccessible(card, element) {
  for (const image of element.querySelectorAll("img:not([alt])")) image.alt = "";
  for (const group of element.querySelectorAll('[role="menubar"]')) {
    group.setAttribute("role", "group");
  }
  for (const button of element.querySelectorAll('[role="menuitem"]')) {
    button.setAttribute("role", "button");
  }
  for (const input of card.getAllInputs()) {
    const field = input.renderedElement?.querySelector(".ac-choiceSetInput-filtered-textbox");
    const label = field?.parentElement.getAttribute("aria-labelledby");
    if (label) field.setAttribute("aria-labelledby", label);
    else field?.setAttribute("aria-label", input.placeholder || input.id);
  }
}

function followLink(event, openUrl) {
  const link = event.target.closest?.("a[href]");
  if (!link || link.closest(".ac-pushButton")) return;
  event.preventDefault();
  if (webUrl(link.href)) openUrl?.(link.href);
}

/** A text in place of the card. */
function noted(words, remarks = []) {
  const note = Object.assign(document.createElement("p"), {
    className: "card__note",
    textContent: words,
  });
  return { elements: [note], remarks };
}

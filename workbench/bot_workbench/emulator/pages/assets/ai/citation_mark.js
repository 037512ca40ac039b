import { html, useEffect, useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";
import { AdaptiveCard } from "../adaptive/adaptive_card.js";
import { openDialog } from "../dialogs/dialog_store.js";
import { showBeside } from "../shared/placement.js";

/** The mark of a citation, such as [1]: pointing at it or pressing it shows what it cites. */
export function CitationMark({ citation }) {
  const [open, setOpen] = useState(false);
  const mark = useRef(null);
  const leave = useRef(0);
  const enter = () => {
    clearTimeout(leave.current);
    setOpen(true);
  };
  // The pointer needs time to reach the popover.
  const exit = () => {
    leave.current = setTimeout(() => setOpen(false), 250);
  };
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    mark.current.focus();
  };
  useEffect(() => () => clearTimeout(leave.current), []);
  return html`<span
    class="citation"
    onMouseEnter=${enter}
    onMouseLeave=${exit}
    onKeyDown=${onKeyDown}
  >
    <button
      ref=${mark}
      type="button"
      class="citation__mark"
      aria-expanded=${open}
      aria-label=${`Citation ${citation.position}: ${citation.name}`}
      onClick=${() => setOpen(!open)}
    >
      ${citation.position}
    </button>
    ${
      open &&
      html`<${CitationCard} mark=${mark} citation=${citation} close=${() => setOpen(false)} />`
    }
  </span>`;
}

function CitationCard({ mark, citation, close }) {
  const popover = useRef(null);
  useLayoutEffect(() => showBeside(popover.current, mark.current), []);
  useLayoutEffect(() => {
    const outside = ({ target }) => !mark.current?.parentElement.contains(target) && close();
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);
  const { name, url, abstract, keywords, icon, label, card } = citation;
  return html`<div
    ref=${popover}
    class="citation__card"
    popover="manual"
    role="group"
    aria-label=${name}
  >
    ${icon && html`<p class="citation__icon">${icon}</p>`}
    <p class="citation__name">
      ${url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${name}</a>` : name}
    </p>
    ${abstract && html`<p>${abstract}</p>`}
    ${
      keywords.length > 0 &&
      html`<ul class="citation__keywords">
        ${keywords.map((word) => html`<li class="badge">${word}</li>`)}
      </ul>`
    }
    ${label && html`<p class="citation__label" title=${label.description}>${label.name}</p>`}
    ${
      card &&
      html`<button type="button" class="button button--small" onClick=${() => showCard(citation)}>
        Show details
      </button>`
    }
  </div>`;
}

function showCard({ name, card }) {
  openDialog({ title: name, width: 600, height: 320, body: StaticCard, props: { card } });
}

function StaticCard({ card, context }) {
  return html`<${AdaptiveCard} card=${card} openUrl=${context.openUrl} isStatic=${true} />`;
}

import { html, useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";
import { InspectorPanel } from "../inspector/panel.js";
import { keptPanel, keepPanel, maxWidth, MIN_WIDTH, panelWidth } from "../model/panel_place.js";

/** Whether the inspector is open, how wide it is, and which turn it shows. */
export function useInspector() {
  const [panel, setPanel] = useState(() => keptPanel(localStorage));
  const [turn, setTurn] = useState(null);
  const change = (differences) => {
    const next = { ...panel, ...differences };
    setPanel(next);
    keepPanel(localStorage, next);
  };
  return {
    ...panel,
    turn,
    toggle: () => change({ open: !panel.open }),
    close: () => change({ open: false }),
    resize: (width) => change({ width }),
    show: (id) => {
      // An object of its own: the same turn can be asked for again.
      setTurn({ id });
      change({ open: true });
    },
  };
}

/** The inspector beside the chat. */
export function InspectorAside({ inspector, context }) {
  const aside = useRef(null);
  const viewport = useViewportWidth();
  const width = panelWidth(inspector.width, viewport);
  useLayoutEffect(() => {
    if (aside.current) aside.current.style.setProperty("--panel-width", `${width}px`);
  }, [inspector.open, width]);
  if (!inspector.open) return null;
  return html`<aside ref=${aside} class="inspector-aside" aria-label="Inspector">
    <${Splitter} width=${width} onResize=${inspector.resize} />
    <div class="inspector-aside__content">
      <${InspectorPanel}
        turn=${inspector.turn?.id}
        asked=${inspector.turn}
        conversation=${context.conversation?.id}
        onClose=${inspector.close}
        onOpenConversation=${context.visitConversation}
      />
    </div>
  </aside>`;
}

function useViewportWidth() {
  const [width, setWidth] = useState(innerWidth);
  useLayoutEffect(() => {
    const resized = () => setWidth(innerWidth);
    addEventListener("resize", resized);
    return () => removeEventListener("resize", resized);
  }, []);
  return width;
}

function Splitter({ width, onResize }) {
  const onPointerDown = (event) => {
    const { target, pointerId } = event;
    target.setPointerCapture(pointerId);
    const move = ({ clientX }) => onResize(panelWidth(innerWidth - clientX, innerWidth));
    target.addEventListener("pointermove", move);
    target.addEventListener(
      "lostpointercapture",
      () => target.removeEventListener("pointermove", move),
      { once: true },
    );
    event.preventDefault();
  };
  const onKeyDown = ({ key }) => {
    const step = { ArrowLeft: 24, ArrowRight: -24 }[key];
    if (step) onResize(panelWidth(width + step, innerWidth));
  };
  return html`<div
    class="splitter"
    role="separator"
    tabindex="0"
    aria-orientation="vertical"
    aria-label="Width of the inspector"
    aria-valuenow=${Math.round(width)}
    aria-valuemin=${MIN_WIDTH}
    aria-valuemax=${maxWidth(innerWidth)}
    onPointerDown=${onPointerDown}
    onKeyDown=${onKeyDown}
  ></div>`;
}

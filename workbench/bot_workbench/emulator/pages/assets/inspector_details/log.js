// Log lines, and tracebacks with the reader's own code first.

import { html, useMemo, useState } from "/assets/libraries/htm.js";

import { clock, count, duration } from "../inspector_models/formatting.js";
import { ownFirst, parsedTraceback, shortFile, splitText } from "../inspector_models/traceback.js";
import { CopyButton } from "./copy.js";

const TONES = { DEBUG: "quiet", INFO: "info", WARNING: "warn", ERROR: "bad", CRITICAL: "bad" };

/**
 * Log lines.
 *
 * @param start epoch seconds that the lines' times count from; undefined: they are times of day.
 */
export function Log({ lines, start }) {
  const [level, setLevel] = useState("all");
  const shown = level === "all" ? lines : lines.filter((each) => TONES[each.level] !== "quiet");
  const hidden = lines.some((each) => TONES[each.level] === "quiet");
  return html`${hidden &&
    html`<div class="segments block" role="group" aria-label="Levels">
      <button aria-pressed=${level === "all"} onClick=${() => setLevel("all")}>All levels</button>
      <button aria-pressed=${level === "info"} onClick=${() => setLevel("info")}>
        Without debug
      </button>
    </div>`}
    <ol class="log">
      ${shown.map((line) => html`<${Line} line=${line} start=${start} />`)}
    </ol>`;
}

function Line({ line, start }) {
  const { text, traceback } = splitText(line.text);
  const at =
    start === undefined
      ? clock(line.at).slice(0, 8)
      : `+${duration(Math.max(0, (line.at - start) * 1000))}`;
  return html`<li data-tone=${TONES[line.level] ?? "info"}>
    <span class="log__at">${at}</span>
    <span class="log__level">${line.level}</span>
    <span class="log__text">
      <span class="log__logger">${line.logger}</span><bdi>${text}</bdi>
      ${(line.traceback || traceback) &&
      html`<${Traceback} traceback=${line.traceback || traceback} />`}
    </span>
  </li>`;
}

/** A traceback: a text, or {redacted, local}: what Azure's log has, and what this machine shows. */
export function Traceback({ traceback }) {
  const texts = typeof traceback === "string" ? { local: traceback } : traceback;
  const names = ["local", "redacted"].filter((each) => texts[each]);
  const [chosen, setChosen] = useState(names[0]);
  const [raw, setRaw] = useState(false);
  const text = texts[chosen] ?? texts[names[0]] ?? "";
  const { frames, errors } = useMemo(() => parsedTraceback(text), [text]);
  const isRaw = raw || frames.length === 0;
  return html`<div class="traceback">
    <div class="traceback__bar">
      ${names.length > 1 &&
      html`<div class="segments" role="group" aria-label="Traceback">
        <button aria-pressed=${chosen === "local"} onClick=${() => setChosen("local")}>
          Local
        </button>
        <button aria-pressed=${chosen === "redacted"} onClick=${() => setChosen("redacted")}>
          As logged in Azure
        </button>
      </div>`}
      ${frames.length > 0 &&
      html`<button class="link" aria-pressed=${raw} onClick=${() => setRaw(!raw)}>
        ${raw ? "Frames" : "Text"}
      </button>`}
      <${CopyButton} quiet text=${text} label="Copy traceback" />
    </div>
    ${errors.map((error) => html`<p class="traceback__error"><bdi>${error}</bdi></p>`)}
    ${isRaw
      ? html`<pre tabindex="0" role="region" aria-label="Traceback">${text}</pre>`
      : html`<${Frames} frames=${ownFirst(frames)} />`}
  </div>`;
}

function Frames({ frames }) {
  const own = frames.filter((each) => each.own);
  const others = frames.filter((each) => !each.own);
  return html`${own.map((each) => html`<${Frame} frame=${each} />`)}
  ${others.length > 0 &&
  html`<details class="traceback__others" open=${own.length === 0}>
    <summary>${count(others.length, "other frame")}</summary>
    ${others.map((each) => html`<${Frame} frame=${each} />`)}
  </details>`}`;
}

function Frame({ frame }) {
  const place = `${shortFile(frame.file)}:${frame.line}`;
  return html`<div class="frame" data-own=${frame.own}>
    <p>
      <span class="frame__place" title=${frame.file}>${place}</span>
      <span class="quiet"> in </span><span>${frame.function}</span>
      ${frame.own && html`<${CopyButton} quiet text=${place} label=${`Copy ${place}`} />`}
    </p>
    ${frame.code.length > 0 && html`<code>${frame.code.join("\n")}</code>`}
  </div>`;
}

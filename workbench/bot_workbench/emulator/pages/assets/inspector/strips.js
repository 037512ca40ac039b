// Strips above the list: what the developer should know before reading on.

import { html, useState } from "/assets/libraries/htm.js";

import { faultText, isFaulty } from "../inspector_models/faults.js";
import { duration } from "../inspector_models/formatting.js";
import { setFaults, startService } from "./api.js";
import { Icon } from "./icons.js";

const STATES = {
  unknown: ["quiet", "Bot"],
  starting: ["busy", "Starting"],
  loading: ["busy", "Reloading"],
  ready: ["good", "Ready"],
  blocked: ["bad", "Blocked"],
  broken: ["bad", "Broken"],
  stopped: ["bad", "Stopped"],
};

/** A dot and a word: how the bot is. */
export function BotState({ status, connection }) {
  const state = status?.blocked && status.state !== "broken" ? "blocked" : status?.state;
  const [tone, word] = STATES[state] ?? STATES.unknown;
  if (connection !== "live") {
    const waiting = connection === "lost" ? "Disconnected" : "Connecting";
    return html`<span class="bot-state" data-tone="quiet"><span class="dot" />${waiting}</span>`;
  }
  const reloaded = state === "ready" && status.generation > 1 && status.ms > 0;
  const title = reloaded ? `Reloaded in ${duration(status.ms)}` : (status?.text ?? "");
  return html`<span class="bot-state" data-tone=${tone} title=${title}>
    <span class="dot" />${word}
    ${reloaded && html`<span class="bot-state__detail"> · ${duration(status.ms)}</span>`}
  </span>`;
}

/** The strips that apply now. */
export function Strips({ live, onServices }) {
  const faulty = live.services.filter(isFaulty);
  const isBroken = live.status?.state === "broken" || live.status?.state === "stopped";
  return html`<div>
    ${live.connection === "lost" && html`<${Lost} retry=${live.retry} />`}
    ${live.connection !== "lost" && isBroken && html`<${Broken} status=${live.status} />`}
    ${live.connection !== "lost" && live.status?.blocked &&
    html`<${Blocked} place=${live.status.blocked} />`}
    ${faulty.length > 0 &&
    html`<${FaultStrip} services=${faulty} onServices=${onServices} />`}
  </div>`;
}

function Lost({ retry }) {
  return html`<div class="strip" data-tone="bad" role="status">
    <${Icon} name="warning" />
    <p>
      <strong>The local cloud does not answer.</strong> Is <code>make run</code> still
      running? This page reconnects by itself.
    </p>
    <button class="button button--small" onClick=${retry}>Connect now</button>
  </div>`;
}

function Broken({ status }) {
  const stays = status.generation > 0 && status.state === "broken";
  return html`<div class="strip" data-tone="bad" role="alert">
    <${Icon} name="warning" />
    <p>
      <strong>${status.state === "broken" ? "Your last save does not load." : "The bot stopped."}
      </strong>
      ${status.text && html` <code>${status.text}</code>`}
      ${stays && " The code before it keeps answering."}
    </p>
  </div>`;
}

function Blocked({ place }) {
  return html`<div class="strip" data-tone="bad" role="alert">
    <${Icon} name="warning" />
    <p>
      <strong>The bot's event loop is blocked</strong> by <code>${place}</code>. Await what takes
      long, or run it in a thread: <code>await asyncio.to_thread(...)</code>. The next
      save starts a new process.
    </p>
  </div>`;
}

/** Starts services that are stopped, and removes all faults. */
async function heal(services) {
  for (const { name, running } of services) {
    if (!running) await startService(name);
    await setFaults(name, {});
  }
}

function FaultStrip({ services, onServices }) {
  const [problem, setProblem] = useState("");
  const onHeal = async () => {
    try {
      setProblem("");
      await heal(services);
    } catch (error) {
      setProblem(error.message);
    }
  };
  return html`<div class="strip" data-tone="warn" role="status">
    <${Icon} name="warning" />
    <p>
      <strong>Faults are on:</strong>${" "}
      ${services.map((each) => `${each.label} ${faultText(each)}`).join("; ")}
    </p>
    <span class="strip__buttons">
      <button class="button button--small button--quiet" onClick=${onServices}>Show</button>
      <button class="button button--small" onClick=${onHeal}>Make all healthy</button>
    </span>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
  </div>`;
}

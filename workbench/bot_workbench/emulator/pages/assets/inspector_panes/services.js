// The local cloud's services: what each does wrong, and buttons that change it.

import { html, useState } from "/assets/libraries/htm.js";

import { setFaults, startService, stopService } from "../inspector/api.js";
import { faultsOf, faultText, isFaulty, isOn } from "../inspector_models/faults.js";
import { count } from "../inspector_models/formatting.js";
import { PaneHead } from "./pane_head.js";

/** The pane with all services. */
export function Services({ services, onClose }) {
  return html`<div class="pane">
    <${PaneHead} title="Services" onClose=${onClose} />
    <div class="pane__body">
      <p class="quiet">
        Your bot calls these instead of Microsoft's services. Switch on a fault, talk to the bot,
        and see in its turn how it reacts.
      </p>
      <ul class="services">
        ${services.map((each) => html`<${Service} key=${each.name} service=${each} />`)}
      </ul>
    </div>
  </div>`;
}

function Service({ service }) {
  const [problem, setProblem] = useState("");
  const attempt = async (change) => {
    try {
      setProblem("");
      await change;
    } catch (error) {
      setProblem(error.message);
    }
  };
  const change = (faults) => attempt(setFaults(service.name, faults));
  const now = faultText(service);
  const tone = service.running ? (isFaulty(service) ? "warn" : "good") : "bad";
  const toggle = service.running ? stopService : startService;
  return html`<li class="service" data-tone=${tone}>
    <div class="service__head">
      <span class="dot" />
      <h3>${service.label}</h3>
      <span class="service__now">${now || "healthy"}</span>
      ${service.running &&
      now &&
      html`<button class="button button--small button--quiet" onClick=${() => change({})}>
        Reset<span class="visually-hidden"> ${service.label}</span>
      </button>`}
      <button
        class="button button--small button--quiet"
        onClick=${() => attempt(toggle(service.name))}
      >
        ${service.running ? "Stop" : "Start"}
        <span class="visually-hidden"> ${service.label}</span>
      </button>
    </div>
    <p class="service__facts">
      <code>${service.url}</code>
      <span>${count(service.requests, "request")}</span>
      <span>${count(service.connections, "connection")}</span>
    </p>
    <${Presets} service=${service} onChange=${change} />
    <details class="service__own">
      <summary>Other faults<span class="visually-hidden"> of ${service.label}</span></summary>
      <${FaultForm} service=${service} onChange=${change} />
    </details>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
  </li>`;
}

function Presets({ service, onChange }) {
  return html`<div class="service__presets" role="group" aria-label=${`Faults of ${service.label}`}>
    ${service.presets.map((preset) => {
      const on = isOn(preset, service);
      return html`<button
        key=${preset.name}
        class="button button--small chip"
        aria-pressed=${on}
        onClick=${() => onChange(on ? {} : preset.faults)}
      >
        ${preset.label}
      </button>`;
    })}
  </div>`;
}

const TEXTS = [
  ["status", "Status", { type: "number", min: 200, max: 599, placeholder: "503" }],
  ["retry_after", "Retry-After", { placeholder: "seconds or date" }],
  ["latency", "Latency (s)", { type: "number", min: 0, step: "any", placeholder: "0.5" }],
  ["remaining", "Only the next", { type: "number", min: 1, placeholder: "3" }],
  ["every", "Every n-th", { type: "number", min: 1, placeholder: "1" }],
  ["path", "Path contains", { placeholder: "/v3/conversations" }],
  ["body", "Body (JSON)", { placeholder: '{"error": "..."}' }],
];

const CHECKS = [
  ["silent", "Never answer"],
  ["cut", "Cut the connection"],
  ["handled", "Carry out the request first"],
  ["html", "Answer with an HTML page"],
  ["endless", "Endless body"],
];

function FaultForm({ service, onChange }) {
  const [form, setForm] = useState({});
  const set = (name, value) => setForm({ ...form, [name]: value });
  const submit = (event) => {
    event.preventDefault();
    onChange(faultsOf(form));
  };
  return html`<form class="fault-form" onSubmit=${submit}>
    ${TEXTS.map(
      ([name, label, attributes]) => html`<label class="choice">
        <span>${label}</span>
        <input
          class="field"
          ...${attributes}
          value=${form[name] ?? ""}
          onInput=${(event) => set(name, event.target.value)}
        />
      </label>`,
    )}
    <div class="fault-form__checks">
      ${CHECKS.map(
        ([name, label]) => html`<label class="check">
          <input
            type="checkbox"
            checked=${Boolean(form[name])}
            onChange=${(event) => set(name, event.target.checked)}
          />
          ${label}
        </label>`,
      )}
    </div>
    <button class="button button--small">
      Switch on<span class="visually-hidden"> for ${service.label}</span>
    </button>
  </form>`;
}

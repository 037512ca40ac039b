// The inspector on a page of its own.

import { html, render } from "/assets/libraries/htm.js";

import { ThemeSwitch } from "../shared/theme_switch.js";
import { InspectorPanel } from "./panel.js";

const turn = new URLSearchParams(window.location.search).get("turn");
// A reload shows the same turn.
const onTurn = (id) =>
  window.history.replaceState(null, "", id ? `?turn=${encodeURIComponent(id)}` : "/inspector");
const extra = html`<a class="button button--small button--quiet" href="/">Chat</a>
  <${ThemeSwitch} />`;
const app = document.getElementById("app");

app.replaceChildren();
render(
  html`<${InspectorPanel} turn=${turn} onTurn=${onTurn} heading="h1" extra=${extra} />`,
  app,
);

// On this page, keys belong to the inspector wherever the focus is.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target !== document.body) return;
  event.preventDefault();
  app.querySelector("input[type=search]")?.focus();
});

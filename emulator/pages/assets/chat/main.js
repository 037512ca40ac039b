import { html, render } from "/assets/libraries/htm.js";

render(html`<p>The chat is being built.</p>`, document.getElementById("app"));

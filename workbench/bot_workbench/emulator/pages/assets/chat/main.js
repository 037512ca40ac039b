/** Starts the chat page, or says why it cannot start. */

const facts = JSON.parse(document.getElementById("facts").textContent);
const app = document.getElementById("app");

function explain(text) {
  const note = document.createElement("p");
  note.className = "start-note";
  note.textContent = text;
  app.replaceChildren(note);
}

const MISSING = 'The chat needs its libraries: run "make setup" or "run.py setup", then reload.';

try {
  if (!facts.installed) throw new Error(MISSING);
  const { start } = await import("./app.js");
  start(facts, app);
} catch (error) {
  explain(error.message);
  if (facts.installed) throw error;
}

// The inspector's HTTP calls.

const ROOT = "/api/inspector";
const NO_ANSWER = "The local cloud does not answer. Is make run still running?";

/** A request to the inspector; its JSON. Rejects with an Error whose text can be shown. */
async function call(method, path, body, signal) {
  const options = { method, signal };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(`${ROOT}${path}`, options).catch(() => {
    throw new Error(NO_ANSWER);
  });
  const text = await response.text();
  if (!response.ok) throw new ResponseError(response.status, text);
  return JSON.parse(text);
}

class ResponseError extends Error {
  constructor(status, text) {
    super(text || `The local cloud answered ${status}.`);
    this.status = status;
  }
}

const named = (name) => encodeURIComponent(name);

export const turnDetails = (id, signal) => call("GET", `/turns/${named(id)}`, undefined, signal);
export const searchTurns = (text, signal) =>
  call("GET", `/turns?search=${named(text)}`, undefined, signal);
export const clearTurns = () => call("DELETE", "/turns");
export const replayTurn = (id) => call("POST", `/turns/${named(id)}/replay`, {});
export const sendActivity = (activity, replayOf) =>
  call("POST", "/send", { activity, replay_of: replayOf });
export const services = () => call("GET", "/services");
export const setFaults = (name, faults) => call("PUT", `/services/${named(name)}/faults`, faults);
export const stopService = (name) => call("POST", `/services/${named(name)}/stop`, {});
export const startService = (name) => call("POST", `/services/${named(name)}/start`, {});

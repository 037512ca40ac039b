/** What a person sees of the connection and of the bot. */

const LOST = {
  connecting: { state: "starting", label: "Connecting", text: "" },
  lost: {
    state: "stopped",
    label: "The local cloud is stopped",
    text: "Start make run again. This page then reconnects, and sends what you write meanwhile.",
  },
};
const LABELS = {
  unknown: "Connected",
  starting: "Bot is starting",
  loading: "Bot is reloading",
  ready: "Bot is ready",
  broken: "Bot does not load",
  stopped: "Bot is stopped",
};

/** `{state, label, text}`: the state is one of LABELS, or `blocked`. If the last save does
 * not load, that is shown, even if the event loop is blocked, too: it must be cured first. */
export function statusShown({ connection, status }) {
  if (connection !== "connected") return LOST[connection];
  if (status.blocked && status.state !== "broken")
    return { state: "blocked", label: "Bot is blocked", text: status.blocked };
  const state = status.state in LABELS ? status.state : "unknown";
  const { generation = 0, ms } = status;
  const reloaded = state === "ready" && generation > 1 && Number.isFinite(ms);
  const label = LABELS[state] + (reloaded ? `, reloaded in ${Math.round(ms)} ms` : "");
  return { state, label, text: status.text ?? "" };
}

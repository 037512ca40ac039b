/** The dialogs that cards and message extensions open. */
export function Dialogs({ context }) {
  return null;
}

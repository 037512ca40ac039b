/** What stands below a message's text: labels, citations, feedback. */
export function MessageExtras({ activity, context }) {
  return null;
}

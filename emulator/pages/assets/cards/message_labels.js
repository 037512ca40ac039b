/** Filled in by the cards. */
export function MessageLabels() {
  return null;
}

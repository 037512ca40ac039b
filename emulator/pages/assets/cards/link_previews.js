/** Filled in by the cards. */
export function LinkPreviews() {
  return null;
}

/** Filled in by the cards. */
export function PromptStarters() {
  return null;
}

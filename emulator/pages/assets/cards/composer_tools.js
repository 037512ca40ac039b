/** Buttons of the composer's tool row. */
export function ComposerTools({ context }) {
  return null;
}

// HostConfig: how Adaptive Cards look. The colors are the theme's CSS variables, so that cards
// follow a change of the theme without being rendered again.

const color = (name) => ({ default: `var(${name})`, subtle: "var(--ink-quiet)" });

const FOREGROUND = {
  default: color("--ink"),
  dark: color("--ink"),
  light: color("--ink-quiet"),
  accent: color("--accent-ink"),
  good: color("--good"),
  warning: color("--warn"),
  attention: color("--bad"),
};

const container = (background, line) => ({
  backgroundColor: `var(${background})`,
  borderColor: `var(${line})`,
  borderThickness: 0,
  foregroundColors: FOREGROUND,
});

/** Sizes in pixels, as Teams has them. */
export const HOST_CONFIG = {
  hostCapabilities: { capabilities: null },
  supportsInteractivity: true,
  fontFamily: "var(--font)",
  fontTypes: {
    default: { fontFamily: "var(--font)" },
    monospace: { fontFamily: "var(--mono)" },
  },
  fontSizes: { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 },
  fontWeights: { lighter: 300, default: 400, bolder: 600 },
  lineHeights: { small: 16, default: 20, medium: 20, large: 24, extraLarge: 32 },
  imageSizes: { small: 32, medium: 52, large: 100 },
  spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 16 },
  separator: { lineThickness: 1, lineColor: "var(--line)" },
  containerStyles: {
    default: container("--surface-raised", "--line"),
    emphasis: container("--surface-sunken", "--line"),
    accent: container("--accent-soft", "--accent"),
    good: container("--good-soft", "--good"),
    attention: container("--bad-soft", "--bad"),
    warning: container("--warn-soft", "--warn"),
  },
  actions: {
    maxActions: 6,
    spacing: "default",
    buttonSpacing: 8,
    showCard: { actionMode: "inline", inlineTopMargin: 12, style: "emphasis" },
    preExpandSingleShowCardAction: false,
    actionsOrientation: "horizontal",
    actionAlignment: "left",
    allowTitleToWrap: true,
    iconPlacement: "leftOfTitle",
    iconSize: 16,
  },
  adaptiveCard: { allowCustomStyle: false },
  imageSet: { imageSize: "medium", maxImageHeight: 100 },
  factSet: {
    title: { color: "default", size: "default", weight: "bolder", wrap: true, maxWidth: 180 },
    value: { color: "default", size: "default", weight: "default", wrap: true },
    spacing: 16,
  },
  textStyles: {
    heading: { size: "large", weight: "bolder", color: "default", isSubtle: false },
    columnHeader: { size: "default", weight: "bolder", color: "default", isSubtle: false },
  },
  textBlock: { headingLevel: 3 },
  inputs: {
    label: {
      inputSpacing: "small",
      requiredInputs: { weight: "bolder", suffix: " *", suffixColor: "attention" },
      optionalInputs: { weight: "bolder" },
    },
    errorMessage: { color: "attention", spacing: "small", size: "small" },
    allowDynamicallyFilteredChoiceSet: true,
    debounceTimeInMilliSeconds: 250,
  },
  media: { allowInlinePlayback: false },
};

/** The newest version of cards that Teams renders. */
const NEWEST_MINOR = 6;

/** Whether Teams shows the card's fallback text, because its version (such as "1.7") is too new. */
export function isTooNew(version) {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version ?? "") ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) > NEWEST_MINOR);
}

import { html, useState } from "/assets/libraries/htm.js";
import { chooseScheme, chosenScheme, nextScheme } from "./color_scheme.js";
import { IconButton } from "./icons.js";

const LOOKS = {
  system: { icon: "system", label: "Colors: system" },
  light: { icon: "sun", label: "Colors: light" },
  dark: { icon: "moon", label: "Colors: dark" },
};

/** Light, dark, or as the system prefers. */
export function ThemeSwitch() {
  const [scheme, setScheme] = useState(() => chosenScheme(localStorage));
  const { icon, label } = LOOKS[scheme];
  const change = () => {
    const next = nextScheme(scheme);
    chooseScheme(localStorage, document.documentElement, next);
    setScheme(next);
  };
  return html`<${IconButton} icon=${icon} label=${label} title=${label} onClick=${change} />`;
}

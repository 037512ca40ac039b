// What the app offers, read once a page.

import { useEffect, useState } from "/assets/libraries/htm.js";

let app = null;
let reading = null;

/** The app as it is known now; {} until it has been read. */
export function knownApp(context) {
  readApp(context);
  return app ?? {};
}

/** The app, for a component: renders again once it is known. */
export function useApp(context) {
  const [known, setKnown] = useState(app ?? {});
  useEffect(() => {
    readApp(context).then(setKnown);
  }, []);
  return known;
}

function readApp(context) {
  reading ??= context.api.app().then(
    (read) => (app = read),
    () => {
      // Tried again when it is needed next.
      reading = null;
      return {};
    },
  );
  return reading;
}

// What the app offers, read once a page and run of the local cloud.

import { useEffect, useState } from "/assets/libraries/htm.js";

let app = {};
let reading = { run: null, app: null };

/** The app as it is known now; {} until it has been read. */
export function knownApp(context) {
  readApp(context);
  return app;
}

/** The app, for a component: renders again once it is known. */
export function useApp(context) {
  const [known, setKnown] = useState(app);
  useEffect(() => {
    readApp(context).then(setKnown);
  }, [context.state.run]);
  return known;
}

function readApp({ api, state: { run } }) {
  if (reading.run !== run) reading = { run, app: read(api) };
  return reading.app;
}

async function read(api) {
  try {
    app = await api.app();
  } catch {
    // Tried again when it is needed next.
    reading = { run: null, app: null };
  }
  return app;
}

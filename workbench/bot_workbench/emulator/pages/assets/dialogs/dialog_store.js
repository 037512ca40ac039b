// The dialog that is open: at most one, as in Teams.

const watchers = new Set();
let opened = null;
let count = 0;

/**
 * Open a dialog in place of the one that is open.
 *
 * @param {{title, width, height, body, props}} dialog sizes in pixels; `body` is a component, which
 *   gets `props`, `context`, `close()` and `frame({title, width, height})`.
 */
export function openDialog(dialog) {
  count += 1;
  change({ ...dialog, key: count });
}

/** Change the title or the size of the open dialog. */
export function frameDialog(changes) {
  if (opened) change({ ...opened, ...changes });
}

export function closeDialog() {
  change(null);
}

export function currentDialog() {
  return opened;
}

/** Calls `watcher` on each change; returns what ends it. */
export function watchDialog(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function change(dialog) {
  opened = dialog;
  for (const watcher of [...watchers]) watcher(dialog);
}

import { html, useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";
import { closeDialog, currentDialog, frameDialog, watchDialog } from "../dialogs/dialog_store.js";
import { IconButton } from "../shared/icons.js";

/** The dialogs that cards and message extensions open. */
export function Dialogs({ context }) {
  const [dialog, setDialog] = useState(currentDialog());
  useLayoutEffect(() => watchDialog(setDialog), []);
  return dialog && html`<${Dialog} key=${dialog.key} dialog=${dialog} context=${context} />`;
}

function Dialog({ dialog, context }) {
  const { title, width, height, body: Body, props } = dialog;
  const element = useRef(null);
  useLayoutEffect(() => {
    const shown = element.current;
    shown.showModal();
    // Closing it returns the focus, which removing it would not.
    return () => shown.close();
  }, []);
  const onCancel = (event) => {
    event.preventDefault();
    closeDialog();
  };
  return html`<dialog
    ref=${element}
    class="task"
    aria-labelledby="task-title"
    style=${{ "--task-width": `${width}px`, "--task-height": `${height}px` }}
    onCancel=${onCancel}
  >
    <header class="task__header">
      <h2 id="task-title">${title || "Dialog"}</h2>
      <${IconButton} icon="close" label="Close" title="Close" onClick=${closeDialog} />
    </header>
    <div class="task__body">
      <${Body} ...${props} context=${context} close=${closeDialog} frame=${frameDialog} />
    </div>
  </dialog>`;
}

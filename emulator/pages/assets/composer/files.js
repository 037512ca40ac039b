import { useEffect, useRef, useState } from "/assets/libraries/htm.js";

/** Files that were chosen, dropped or pasted, until they are sent. */
export function useFiles(context) {
  const [chosen, setChosen] = useState([]);
  const [dropping, setDropping] = useState(false);
  const count = useRef(0);
  const add = (files) => {
    const added = [...files].map((file) => ({
      key: ++count.current,
      file,
      preview: file.type.startsWith("image/") ? URL.createObjectURL(file) : null,
    }));
    setChosen((before) => [...before, ...added]);
    context.focusComposer();
  };
  const drop = (gone) => gone.forEach(({ preview }) => preview && URL.revokeObjectURL(preview));
  const remove = (key) => {
    drop(chosen.filter((each) => each.key === key));
    setChosen(chosen.filter((each) => each.key !== key));
  };
  const send = async (text, thread) => {
    if (context.state.connection !== "connected") {
      context.insertText(text);
      context.notify("The files stay here until the page is connected.", "error");
      return;
    }
    const sent = chosen;
    setChosen([]);
    try {
      await context.api.upload(
        sent.map(({ file }) => file),
        { text, thread },
      );
      drop(sent);
    } catch (error) {
      // Nothing is lost: they can be sent again.
      setChosen(sent);
      context.insertText(text);
      context.notify(`The files were not sent. ${error.message}`, "error");
    }
  };
  const choose = () => {
    const input = Object.assign(document.createElement("input"), { type: "file", multiple: true });
    input.addEventListener("change", () => add(input.files));
    input.click();
  };
  const taken = (event, files) => {
    if (files.length === 0) return;
    event.preventDefault();
    add(files);
  };
  useEffect(() => takeDropped(setDropping, taken), []);
  return {
    chosen,
    dropping,
    remove,
    send,
    choose,
    onPaste: (event) => taken(event, event.clipboardData.files),
  };
}

/** Files may be dropped anywhere: a browser leaves the page for one that misses its place. */
function takeDropped(setDropping, taken) {
  const over = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setDropping(true);
  };
  const leave = ({ relatedTarget }) => relatedTarget === null && setDropping(false);
  const drop = (event) => {
    setDropping(false);
    taken(event, event.dataTransfer.files);
  };
  const listeners = { dragover: over, dragleave: leave, drop };
  for (const [name, listener] of Object.entries(listeners)) {
    document.addEventListener(name, listener);
  }
  return () => {
    for (const [name, listener] of Object.entries(listeners)) {
      document.removeEventListener(name, listener);
    }
  };
}

import { useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";

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
  /** Send them, with a message or null; resolves to whether that worked. */
  const send = async (message, thread) => {
    const sent = chosen;
    setChosen([]);
    const contents = sent.map(({ file }) => file);
    try {
      await context.api.upload(contents, { activity: message && JSON.stringify(message), thread });
      drop(sent);
      return true;
    } catch (error) {
      setChosen((later) => [...sent, ...later]);
      context.notify(`The files were not sent. ${error.message}`, "error");
      return false;
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
  useLayoutEffect(() => takeDropped(setDropping, taken), []);
  return {
    chosen,
    dropping,
    remove,
    send,
    choose,
    onPaste: (event) => taken(event, event.clipboardData.files),
  };
}

/** Files may be dropped anywhere: where a page does not take one, the browser opens it instead. */
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

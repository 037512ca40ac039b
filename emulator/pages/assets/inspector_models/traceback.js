// A Python traceback as frames, so that the reader's own code can stand first.

const FRAME = /^\s*File "(.+?)", line (\d+), in (.+)$/;

/**
 * The parts of a traceback's text.
 *
 * @returns {{frames: object[], errors: string[], summary: string}} each frame has file, line,
 *   function, code (source lines) and own (not of a library or of the framework).
 */
export function parsedTraceback(text) {
  const frames = [];
  const errors = [];
  for (const line of String(text).split("\n")) {
    const found = FRAME.exec(line);
    if (found) {
      frames.push({
        file: found[1],
        line: Number(found[2]),
        function: found[3],
        code: [],
        own: isOwn(found[1]),
      });
    } else if (/^\s{4,}\S/.test(line) && errors.length === 0 && frames.length > 0) {
      if (!/^\s*[~^]+\s*$/.test(line)) frames.at(-1).code.push(line.trim());
    } else if (/^[\w.]+(Error|Exception|Exit|Interrupt|Warning|Group)?\b.*:?/.test(line)) {
      if (!/^(Traceback \(|The bot's own code|Other frames)/.test(line)) errors.push(line);
    }
  }
  return { frames, errors, summary: errors.at(-1) ?? "" };
}

/** Whether a file is one that the bot's author writes. */
export function isOwn(file) {
  const path = file.replaceAll("\\", "/");
  return /(^|\/)(bot_logic|examples)\//.test(path) && !/(site|dist)-packages\//.test(path);
}

/** The frames with the reader's own first, each group in call order. */
export function ownFirst(frames) {
  return [...frames.filter((each) => each.own), ...frames.filter((each) => !each.own)];
}

/** A file's path from the project's folder on, or its last three parts. */
export function shortFile(file) {
  const path = file.replaceAll("\\", "/");
  const known = /(?:^|\/)((?:bot_logic|examples|cloud_adapter|auth|http_client)\/.*)$/.exec(path);
  if (known) return known[1];
  const library = /(?:site|dist)-packages\/(.*)$/.exec(path);
  return library ? library[1] : path.split("/").slice(-3).join("/");
}

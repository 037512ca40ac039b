// A Python traceback as frames, so that the reader's own code can stand first.

const FRAME = /^\s*File "(.+?)", line (\d+), in (.+)$/;
const HEADING = "Traceback (most recent call last):";
const ERROR = /^[A-Za-z_][\w.]*(:( .*)?)?$/;

/**
 * The parts of a traceback's text.
 *
 * @returns {{frames: object[], errors: string[], summary: string}} each frame has file, line,
 *   function, code (source lines) and own (not of a library or of the framework).
 */
export function parsedTraceback(text) {
  const frames = [];
  const errors = [];
  let afterError = false;
  let isOther = false;
  for (const line of String(text).split("\n")) {
    // The project's own tracebacks have the bot's frames first, and then this heading.
    isOther ||= line === "Other frames:";
    const found = FRAME.exec(line);
    if (found) {
      afterError = false;
      frames.push({
        file: found[1],
        line: Number(found[2]),
        function: found[3],
        code: [],
        own: !isOther && isOwn(found[1]),
      });
    } else if (/^\s{4,}\S/.test(line) && frames.length > 0) {
      // Further lines of an error's text are indented, too; they follow its name.
      if (afterError) errors.push(`${errors.pop()}\n${line.trim()}`);
      else if (!/^\s*[~^]+\s*$/.test(line)) frames.at(-1).code.push(line.trim());
    } else if (ERROR.test(line)) {
      errors.push(line);
      afterError = true;
      isOther = false;
    }
  }
  return { frames, errors, summary: errors.at(-1) ?? "" };
}

// What is not the bot's author's: installed packages, Python itself, the base, the workbench.
const OTHERS = /(^|\/)((site|dist)-packages|lib\/python3[^/]*|Lib)\/|^</;
const BASE =
  /(^|\/)((cloud_adapter|auth|http_client|bot_workbench)\/|(function_app|composition)\.py$)/;

/** Whether a file is one that the bot's author writes. */
export function isOwn(file) {
  const path = file.replaceAll("\\", "/");
  if (OTHERS.test(path)) return false;
  return /(^|\/)bot_logic\//.test(path) || !BASE.test(path);
}

/** A log line's text and the traceback below it, "" if there is none. */
export function splitText(text) {
  const [before, ...rest] = String(text).split(`\n${HEADING}\n`);
  return { text: before, traceback: rest.length > 0 ? [HEADING, ...rest].join("\n") : "" };
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

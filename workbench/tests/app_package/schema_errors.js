// node schema_errors.js FILE ...: what Microsoft's package says of manifests, as a JSON array with
// an array of errors for each. NODE_PATH names the folder with @microsoft/app-manifest, which has
// the schemas of all versions.
const fs = require("fs");
const { AppManifestUtils } = require("@microsoft/app-manifest");

globalThis.fetch = (url) => {
  throw new Error(`the validator wants to fetch ${url}`);
};

// To compile the schema takes half a second, and the package does it for each manifest.
const { default: Ajv } = require("ajv-draft-04");
const { compile } = Ajv.prototype;
const compiled = new Map();
Ajv.prototype.compile = function (schema) {
  const text = JSON.stringify(schema);
  if (!compiled.has(text)) {
    compiled.set(text, compile.call(this, schema));
  }
  return compiled.get(text);
};

async function errors(file) {
  const manifest = JSON.parse(fs.readFileSync(file, "utf8"));
  const found = await AppManifestUtils.validateAgainstSchema(manifest);
  // The generated types, which the Toolkit reads a manifest with first, stop at their first error.
  return found.length ? found : (await AppManifestUtils.readAndValidateTeamsManifest(file))[1];
}

Promise.all(process.argv.slice(2).map(errors)).then((all) => console.log(JSON.stringify(all)));

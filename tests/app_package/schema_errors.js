// node schema_errors.js FILE: what Microsoft's package says of a manifest, as a JSON array of errors.
// NODE_PATH names the folder with @microsoft/app-manifest, which has the schemas of all versions.
const fs = require("fs");
const { AppManifestUtils } = require("@microsoft/app-manifest");

globalThis.fetch = (url) => {
  throw new Error(`the validator wants to fetch ${url}`);
};

async function errors(file) {
  const found = await AppManifestUtils.validateAgainstSchema(JSON.parse(fs.readFileSync(file, "utf8")));
  // The generated types, which the Toolkit reads a manifest with first, stop at their first error.
  return found.length ? found : (await AppManifestUtils.readAndValidateTeamsManifest(file))[1];
}

errors(process.argv[2]).then((found) => console.log(JSON.stringify(found)));

// Files that bots send. Source: Microsoft Learn, "Send and receive files through your bot".

import { object, text, webUrl } from "../adaptive/values.js";
import { sizeText } from "../text/file_facts.js";

/** {description, size} of a FileConsentCard. */
export function consentFacts(content) {
  const { description, sizeInBytes } = object(content);
  return { description: text(description), size: sizeText(sizeInBytes) };
}

/** What is wrong with a FileConsentCard, for Teams; null: nothing. */
export function consentProblem({ name, content }) {
  if (!text(name)) return "The attachment's name is missing; Teams needs the file's name.";
  if (typeof object(content).sizeInBytes !== "number")
    return "content.sizeInBytes is missing; Teams needs the file's size.";
  return null;
}

/** The value of the invoke fileConsent/invoke; the local cloud adds where to upload the file. */
export function consentValue(action, { content }) {
  const context =
    action === "accept" ? object(content).acceptContext : object(content).declineContext;
  return { type: "fileUpload", action, context };
}

/** The file's address, of a FileInfoCard or of a file that a user has sent. */
export function fileAddress({ contentType, contentUrl, content }) {
  const download = contentType === "application/vnd.microsoft.teams.file.download.info";
  return webUrl(download ? object(content).downloadUrl : contentUrl);
}

// Files that bots send. Source: Microsoft Learn, "Send and receive files through your bot".

import { object, text, webUrl } from "../adaptive/values.js";

/** "12 KB" for a number of bytes; "" for what is none. */
export function fileSize(bytes) {
  if (!Number.isFinite(bytes) || bytes < 0) return "";
  const units = ["bytes", "KB", "MB", "GB"];
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power && amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${units[power]}`;
}

/** {description, size} of a FileConsentCard. */
export function consentFacts(content) {
  const { description, sizeInBytes } = object(content);
  return { description: text(description), size: fileSize(sizeInBytes) };
}

/** What is wrong with a FileConsentCard, for Teams; null: nothing. */
export function consentProblem({ name, content }) {
  if (!text(name)) return "The attachment's name is missing; Teams needs the file's name.";
  if (typeof object(content).sizeInBytes !== "number")
    return "content.sizeInBytes is missing; Teams needs the file's size.";
  return null;
}

/** The value of the invoke fileConsent/invoke; the local cloud adds where the file may be uploaded. */
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

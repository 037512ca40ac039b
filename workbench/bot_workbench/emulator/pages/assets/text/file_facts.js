/** Attachments that are files and images. */

const DOWNLOAD = "application/vnd.microsoft.teams.file.download.info";
const INFO_CARD = "application/vnd.microsoft.teams.card.file.info";

/** `{url, name}` for an image that can be shown; null for anything else. */
export function imageOf({ contentType = "", contentUrl, name }) {
  if (!contentType.startsWith("image/") || !contentUrl) return null;
  return isShown(contentUrl) ? { url: contentUrl, name: name || "Image" } : null;
}

/** `{name, url, size}` for a file; null for a card. */
export function fileOf({ contentType = "", contentUrl, content, name }) {
  if (contentType === DOWNLOAD) {
    return {
      name: name || "File",
      url: page(content?.downloadUrl ?? contentUrl),
      size: content?.size,
    };
  }
  if (contentType === INFO_CARD) return { name: name || "File", url: page(contentUrl) };
  if (contentType.startsWith("application/vnd.microsoft.") || !contentUrl) return null;
  return { name: name || "File", url: page(contentUrl) };
}

function isShown(url) {
  return /^(https?:|blob:|data:image\/|\/)/i.test(url);
}

function page(url) {
  return /^(https?:\/\/|\/)/i.test(url ?? "") ? url : undefined;
}

/** `PDF`, for a file's name. */
export function fileKind(name) {
  const match = /\.([\p{L}\p{N}]{1,8})$/u.exec(name);
  return match ? match[1].toUpperCase() : "File";
}

/** `12 KB`; empty for what is no number of bytes. */
export function sizeText(bytes) {
  if (!Number.isFinite(bytes) || bytes < 0) return "";
  const units = ["bytes", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${bytes === 1 ? "byte" : units[unit]}`;
}

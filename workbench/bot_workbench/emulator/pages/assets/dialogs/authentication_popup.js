import { hostPage } from "./hosted_page.js";

let stop = () => {};

/**
 * Open a page of the bot's where the user signs in, or configures its message extension. Only the
 * newest such popup is listened to.
 *
 * @param {(result: string) => void} done gets what the page passes to authentication.notifySuccess.
 * @param {(reason: string) => void} fail gets why the page could not.
 */
export function openAuthentication(url, context, done, fail) {
  stop();
  // The page needs its opener, which is what TeamsJS talks to.
  const popup = open(url, "_blank", "popup,width=520,height=640");
  if (!popup) {
    fail("The browser has blocked the popup. Allow popups for this page.");
    return;
  }
  stop = hostPage(
    () => popup,
    "authentication",
    context,
    ({ failed, submitted }) => {
      if (!failed && !submitted) return;
      stop();
      if (failed) fail(`The page reported a failure: ${failed}`);
      else done(submitted.result ?? "");
    },
  );
}

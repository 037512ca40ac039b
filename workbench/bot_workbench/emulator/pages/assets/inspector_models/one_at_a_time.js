// Work that is asked for more often than it can be done.

/**
 * A function that runs an async one, but never twice at once: called while that runs, or pauses
 * after it, it runs it once more.
 */
export function oneAtATime(run, pauseMs) {
  let isBusy = false;
  let isWanted = false;
  return async () => {
    isWanted = true;
    if (isBusy) return;
    isBusy = true;
    while (isWanted) {
      isWanted = false;
      await run();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    isBusy = false;
  };
}

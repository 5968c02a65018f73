/**
 * Waits for a condition.
 *
 * @param subscribe Adds a listener for the events that can make it true, and returns its removal
 * @param isMet The condition, checked now and after each event
 */
export function until(subscribe: (listener: () => void) => () => void, isMet: () => boolean): Promise<void> {
  if (isMet()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = subscribe(() => {
      if (!isMet()) return;
      stop();
      resolve();
    });
  });
}

/**
 * The promise's outcome, or the signal's reason, whichever is first. A promise that loses goes on unheard: its
 * rejection is not an unhandled one. Nothing stays registered on the signal.
 */
export function untilAborted<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    const forget = () => signal.removeEventListener("abort", stop);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promise.then(
      (value) => {
        forget();
        resolve(value);
      },
      (reason) => {
        forget();
        reject(reason);
      },
    );
  });
}

/**
 * A controller that also aborts when `parent` does, with its reason. `AbortSignal.any` would do, but leaves its mark on a
 * long-lived parent until the garbage collector comes by; here `release` takes the listener off at once.
 */
export function childController(parent: AbortSignal | undefined): {
  readonly controller: AbortController;
  release(): void;
} {
  const controller = new AbortController();
  const follow = () => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener("abort", follow, { once: true });
  return { controller, release: () => parent?.removeEventListener("abort", follow) };
}

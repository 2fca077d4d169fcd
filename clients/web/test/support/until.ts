import type { Store } from "../../src/store.js";

/** Resolves with the first snapshot that passes `test`, at once when the present one does. */
export function until<T>(store: Store<T>, test: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    let stop = () => {};
    const look = () => {
      const value = store.getSnapshot();
      if (!test(value)) return false;
      stop();
      resolve(value);
      return true;
    };
    if (!look()) stop = store.subscribe(look);
  });
}

/** What tests may ask of a page from outside of it, in every engine. */
export interface EnginePage {
  /** The value of an expression in the page, as JSON; a promise is waited for. */
  evaluate(expression: string): Promise<unknown>;
  /** Presses a key as a person does, such as `Tab`, `Escape` or `Enter`. */
  press(key: string): Promise<void>;
  /** What the window shows, as a PNG. */
  screenshot(): Promise<Uint8Array>;
  /** Sets media features (Chromium only): `prefers-reduced-motion`, `prefers-color-scheme`, `forced-colors`. */
  emulate(features: Readonly<Record<string, string>>): Promise<void>;
}

/** A running browser of one engine. */
export interface RunningEngine {
  /** Opens an address and waits until its document is there. */
  open(url: string): Promise<EnginePage>;
  /** Ends the browser and all that was started for it; never fails. */
  close(): Promise<void>;
}

/** Refuses what the engine's driver cannot do, by name. */
export function unsupported(what: string): Promise<never> {
  return Promise.reject(new Error(`${what} is not supported by this engine's driver`));
}

import { defineBrowserProvider } from "@vitest/browser";
import type { EnginePage, RunningEngine } from "./page.js";
import { ENGINES, type Engine } from "./programs.js";
import { startEngine } from "./start.js";

/** What commands find in their context. */
export interface EngineContext {
  /** The page in whose frames the tests run. */
  readonly enginePage: EnginePage;
}

/**
 * Lets Vitest drive the installed browsers. One name serves all engines, since Vitest wants all instances of a project
 * to have the same provider. They run one after the other: the machine is small.
 */
export const installed = defineBrowserProvider({
  name: "installed",
  supportedBrowser: ENGINES,
  options: {},
  providerFactory: (project) => {
    const engine = project.config.browser.name as Engine;
    const pages = new Map<string, EnginePage>();
    let running: RunningEngine | null = null;
    // Asked for by Vitest itself; the windows have one size.
    project.browser?.registerCommand("__vitest_viewport" as never, (async () => {}) as never);
    const open = async (url: string): Promise<EnginePage> => {
      running ??= await startEngine(engine);
      return running.open(url);
    };
    const close = async () => {
      const ending = running;
      running = null;
      pages.clear();
      await ending?.close();
    };
    return {
      name: "installed",
      supportsParallelism: false,
      getCommandsContext: (session) => ({ enginePage: pages.get(session) }),
      openPage: async (session, url) => {
        pages.set(
          session,
          await open(url).catch(async () => {
            await close();
            return open(url);
          }),
        );
      },
      close,
    };
  },
});

import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions } from "../../src/client.js";
import { type Channel, openChannel, type PageNews, type TabsHost } from "../../src/tabs/host.js";
import { TestEnvironment } from "./environment.js";
import { FAST } from "./rig.js";

/** One tab of a browser: Node's own locks and channels, and a page whose life the test decides. */
export class TestTab implements TabsHost {
  readonly locks = navigator.locks;
  readonly environment = new TestEnvironment();
  readonly sent: string[] = [];
  /** Channels that are open. */
  channels = 0;
  answerMs = 1500;
  graceMs = 1000;
  isHidden = false;
  /** A frozen page hears nothing and answers nothing; what came meanwhile is heard when it wakes up. */
  #frozen: unknown[] | null = null;
  #receive: (data: unknown) => void = () => {};
  #page: (news: PageNews) => void = () => {};

  hidden = () => this.isHidden;

  openChannel(name: string, receive: (data: unknown) => void): Channel {
    this.#receive = receive;
    this.channels += 1;
    const channel = openChannel(name, (data) => {
      if (this.#frozen) this.#frozen.push(data);
      else receive(data);
    });
    return {
      post: (message) => {
        if (this.#frozen) return;
        this.sent.push((message as { kind: string }).kind);
        channel.post(message);
      },
      close: () => {
        this.channels -= 1;
        channel.close();
      },
    };
  }

  onPage(listener: (news: PageNews) => void): () => void {
    this.#page = listener;
    return () => {
      this.#page = () => {};
    };
  }

  page(news: PageNews): void {
    this.#page(news);
  }

  freeze(): void {
    this.#frozen = [];
  }

  thaw(): void {
    const missed = this.#frozen ?? [];
    this.#frozen = null;
    for (const data of missed) this.#receive(data);
  }
}

let browsers = 0;

/** Another browser: tabs of one share a name, and none with another one's. */
export function newBrowser(baseUrl: string) {
  browsers += 1;
  const identity = `user ${browsers}`;
  const clients: RealtimeClient[] = [];
  return {
    open(options: Partial<RealtimeClientOptions> = {}) {
      const tab = new TestTab();
      const client = createRealtimeClient({
        baseUrl,
        identity,
        environment: tab.environment,
        tabsHost: tab,
        timing: FAST,
        ...options,
      });
      clients.push(client);
      return { tab, client };
    },
    closeAll() {
      for (const client of clients.splice(0)) client.close();
    },
  };
}

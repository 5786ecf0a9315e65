import type { LiveMessage } from "../../src/api/live.ts";
import type { Store } from "./store.ts";

/** The server sends something at least every 15 s; after this long without a word the connection is dead, whatever the browser thinks. */
const silenceMs = 35_000;
const reopenMs = 2_000;
const messageTypes = ["snapshot", "reading", "status", "counters", "system", "heartbeat"] as const satisfies readonly LiveMessage["type"][];

/** Keeps the store fed, for as long as the page is open. */
export class Feed {
  readonly #store: Store;
  readonly #url: string;
  #source: EventSource | undefined;
  #lastWord = performance.now();
  #reopenTimer: number | undefined;

  constructor(store: Store, url: string) {
    this.#store = store;
    this.#url = url;
  }

  start(): void {
    this.#open();
    window.setInterval(() => {
      this.#store.tick();
      if (performance.now() - this.#lastWord > silenceMs) this.#reopen();
    }, 1_000);
    // A phone that wakes up must not show old values as new for even a moment.
    document.addEventListener("visibilitychange", () => this.#store.tick());
    window.addEventListener("online", () => this.#reopen());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.#reopen();
    });
  }

  #open(): void {
    this.#lastWord = performance.now();
    const source = new EventSource(this.#url);
    this.#source = source;
    for (const type of messageTypes) {
      source.addEventListener(type, (event) => {
        this.#lastWord = performance.now();
        this.#store.apply(JSON.parse((event as MessageEvent<string>).data) as LiveMessage);
      });
    }
    source.addEventListener("error", () => {
      this.#lost();
      // The browser connects again by itself, unless the server answered with something that is not a stream.
      if (source.readyState === EventSource.CLOSED) this.#reopenLater();
    });
  }

  #reopen(): void {
    window.clearTimeout(this.#reopenTimer);
    this.#reopenTimer = undefined;
    this.#source?.close();
    this.#lost();
    this.#open();
  }

  #reopenLater(): void {
    this.#reopenTimer ??= window.setTimeout(() => this.#reopen(), reopenMs);
  }

  #lost(): void {
    if (this.#store.inverters.peek() !== undefined) this.#store.feed.value = "lost";
  }
}

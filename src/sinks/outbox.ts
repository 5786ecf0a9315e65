/** What the outbox needs of an MQTT client. */
export interface Publisher {
  readonly connected: boolean;
  publish(topic: string, payload: string, options: { readonly qos: 0; readonly retain: boolean }, done: (error?: Error) => void): unknown;
}

/** A payload, or the way to make it when it is sent: what is overtaken before that costs nothing. */
export type Payload = string | (() => string | undefined);

export interface PostOptions {
  readonly retain: boolean;
  /** Sent again after every reconnect, as a broker may have forgotten it. */
  readonly repeat?: boolean;
  /** Milliseconds after which it is no longer worth sending. */
  readonly maxAgeMs?: number;
}

interface Message {
  readonly payload: Payload;
  readonly retain: boolean;
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * The latest message of each topic, on its way to the broker. Memory is bounded by the number of topics: while the
 * broker is away or slow, a newer message takes the older one's place.
 */
export class Outbox {
  readonly #waiting = new Map<string, Message>();
  readonly #repeated = new Map<string, Message>();
  readonly #monotonic: () => number;
  #publisher: Publisher | undefined;
  #isSending = false;
  #isBlocked = false;
  #onIdle: (() => void)[] = [];
  #sent = 0;
  #outdated = 0;

  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /** Messages handed to the broker. */
  get sent(): number {
    return this.#sent;
  }

  /** Messages not sent because a newer one or their age overtook them. */
  get outdated(): number {
    return this.#outdated;
  }

  post(topic: string, payload: Payload, options: PostOptions): void {
    const until = options.maxAgeMs === undefined ? Number.POSITIVE_INFINITY : this.#monotonic() + options.maxAgeMs;
    const message = { payload, retain: options.retain, until };
    if (options.repeat === true) this.#repeated.set(topic, message);
    if (this.#waiting.has(topic)) this.#outdated++;
    this.#waiting.set(topic, message);
    this.#send();
  }

  connected(publisher: Publisher): void {
    this.#publisher = publisher;
    this.#isBlocked = false;
    for (const [topic, message] of this.#repeated) if (!this.#waiting.has(topic)) this.#waiting.set(topic, message);
    this.#send();
  }

  disconnected(): void {
    this.#publisher = undefined;
    this.#isBlocked = false;
    this.#settle();
  }

  /** Resolves when everything has been handed to the network, or the connection is gone. */
  async idle(): Promise<void> {
    if (this.#publisher === undefined || (this.#waiting.size === 0 && !this.#isBlocked)) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Hands messages over until the network has had enough. */
  #send(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (const [topic, message] of this.#waiting) {
        const publisher = this.#publisher;
        if (publisher === undefined || !publisher.connected || this.#isBlocked) break;
        this.#waiting.delete(topic);
        this.#sendOne(publisher, topic, message);
      }
    } finally {
      this.#isSending = false;
    }
    this.#settle();
  }

  #sendOne(publisher: Publisher, topic: string, { payload, retain, until }: Message): void {
    const text = this.#monotonic() > until ? undefined : typeof payload === "string" ? payload : payload();
    if (text === undefined) {
      this.#outdated++;
      return;
    }
    this.#isBlocked = true;
    this.#sent++;
    publisher.publish(topic, text, { qos: 0, retain }, () => {
      // The client calls back once the network takes more; a call that belongs to an earlier connection says nothing.
      if (publisher !== this.#publisher) return;
      this.#isBlocked = false;
      this.#send();
    });
  }

  #settle(): void {
    if (this.#publisher !== undefined && (this.#waiting.size > 0 || this.#isBlocked)) return;
    const waiters = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiters) resolve();
  }
}

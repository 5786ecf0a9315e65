import { createHash } from "node:crypto";

const shortTopic = 100;
const digestBytes = 15;

/** The last payload of each topic, as a digest; of a bounded number of topics, the least recently heard of is forgotten first. */
export class PayloadMemory {
  readonly maxTopics: number;
  /** Topic → digest of its payload, the latest heard of last. */
  readonly #digests = new Map<string, string>();
  #forgotten = 0;

  constructor(maxTopics: number) {
    this.maxTopics = maxTopics;
  }

  /** How many topics had to make room for others. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Remembers the payload; tells whether it is another one than before, or the topic's first. */
  isNew(topic: string, payload: Uint8Array): boolean {
    const key = keyOf(topic);
    const digest = digestOf(payload);
    const before = this.#digests.get(key);
    this.#digests.delete(key);
    this.#digests.set(key, digest);
    if (this.#digests.size > this.maxTopics) {
      const [oldest] = this.#digests.keys();
      if (oldest !== undefined) this.#digests.delete(oldest);
      this.#forgotten++;
    }
    return before !== digest;
  }

  /** Whatever comes next of this topic will be new. */
  forget(topic: string): void {
    this.#digests.delete(keyOf(topic));
  }
}

// A topic can be 65 kB long. No topic holds a zero byte, so that its digest cannot be taken for one.
const keyOf = (topic: string): string => (topic.length <= shortTopic ? topic : `\0${digestOf(topic)}`);
const digestOf = (content: string | Uint8Array): string => createHash("sha256").update(content).digest().toString("base64", 0, digestBytes);

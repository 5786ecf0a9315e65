import type { HistoryEvent } from "../../model/history.ts";
import type { InverterInfo, LinkStatus, Notice, Reading } from "../../model/reading.ts";

interface Seen {
  mode: string | undefined;
  link: LinkStatus["state"] | undefined;
  /** Warnings and faults by the command that carries them. */
  readonly notices: Map<string, ReadonlyMap<string, Notice>>;
}

/** Sees from readings and link what has happened: a change against what was there before, never a state that goes on. */
export class EventWatch {
  readonly #seen = new Map<string, Seen>();

  reading({ at, command, values, notices }: Reading, { id }: InverterInfo): HistoryEvent[] {
    const seen = this.#of(id);
    const events: HistoryEvent[] = [];
    const mode = values["operatingMode"];
    if (typeof mode === "string") {
      if (seen.mode !== undefined && seen.mode !== mode)
        events.push({
          at,
          inverter: id,
          kind: "mode",
          key: mode,
          text: `Mode ${mode}, before ${seen.mode}`,
          details: { from: seen.mode, to: mode },
        });
      seen.mode = mode;
    }
    if (notices !== undefined) events.push(...this.#noticed(seen, { at, command, id }, notices));
    return events;
  }

  status({ state, since, message }: LinkStatus, { id }: InverterInfo): HistoryEvent[] {
    const seen = this.#of(id);
    if (state === seen.link || state === "starting") return [];
    const before = seen.link;
    seen.link = state;
    const text = state === "online" ? "The inverter answers" : message;
    return [{ at: since, inverter: id, kind: "link", key: state, text, ...(before !== undefined && { details: { from: before } }) }];
  }

  #noticed(seen: Seen, { at, command, id }: { at: number; command: string; id: string }, notices: readonly Notice[]): HistoryEvent[] {
    const before = seen.notices.get(command);
    const now = new Map(notices.map((notice) => [notice.key, notice]));
    seen.notices.set(command, now);
    const begun = [...now.values()].filter(({ key }) => before?.has(key) !== true);
    const over = [...(before?.values() ?? [])].filter(({ key }) => !now.has(key));
    // What stands when the program starts may stand for long.
    const begin = before === undefined ? "standing" : "began";
    return [...begun.map((notice) => eventOf(notice, at, id, begin)), ...over.map((notice) => eventOf(notice, at, id, "ended"))];
  }

  #of(id: string): Seen {
    let seen = this.#seen.get(id);
    if (seen === undefined) this.#seen.set(id, (seen = { mode: undefined, link: undefined, notices: new Map() }));
    return seen;
  }
}

function eventOf(
  { key, title, severity, explanation }: Notice,
  at: number,
  inverter: string,
  what: "standing" | "began" | "ended",
): HistoryEvent {
  return {
    at,
    inverter,
    kind: severity === "fault" ? "fault" : "warning",
    key,
    text: what === "ended" ? `${title}: over` : `${title}: ${explanation}`,
    details: { what, severity },
  };
}

import type { EventKind, HistoryEvent } from "../model/history.ts";
import type { Database } from "./database.ts";
import type { EventQuery } from "./ports.ts";

interface EventRow {
  readonly at: number;
  readonly inverter: string;
  readonly kind: EventKind;
  readonly key: string;
  readonly text: string;
  readonly details: string | null;
}

/** Keeps events; one that is there already is left as it is. */
export function putEvents(database: Database, events: readonly HistoryEvent[]): void {
  const insert = database.prepare("INSERT OR IGNORE INTO event (at, inverter, kind, key, text, details) VALUES (?, ?, ?, ?, ?, ?)");
  for (const { at, inverter, kind, key, text, details } of events)
    insert.run(at, inverter ?? "", kind, key, text, details === undefined ? null : JSON.stringify(details));
}

/** Events of a range in time order; of one inverter those that concern the whole site too. */
export function findEvents(database: Database, { from, to, inverter, kinds, limit }: EventQuery): HistoryEvent[] {
  const conditions = ["at >= ?", "at < ?"];
  const values: (string | number)[] = [from, to];
  if (inverter !== undefined) {
    conditions.push("inverter IN (?, '')");
    values.push(inverter);
  }
  if (kinds !== undefined) {
    conditions.push(`kind IN (${kinds.map(() => "?").join(", ")})`);
    values.push(...kinds);
  }
  const statement = database.prepare(
    `SELECT at, inverter, kind, key, text, details FROM event WHERE ${conditions.join(" AND ")} ORDER BY at DESC, inverter, kind, key LIMIT ?`,
  );
  const rows = statement.all(...values, limit ?? -1) as unknown as EventRow[];
  return rows.toReversed().map(({ inverter: id, details, ...event }) => ({
    ...event,
    ...(id !== "" && { inverter: id }),
    ...(details !== null && { details: JSON.parse(details) as Record<string, unknown> }),
  }));
}

import { useComputed } from "@preact/signals";
import type { VNode } from "preact";
import type { Metric, MetricGroup } from "../../src/model/metric.ts";
import type { Value } from "../../src/model/reading.ts";
import { directionOf, formatNumber, labelOf } from "./format.ts";
import { isDefaults, isParallelUnit } from "./pick.ts";
import type { CommandState, InverterState, Store } from "./store.ts";
import { groupTitles, toWords } from "./words.ts";

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly rows: readonly RowPlace[];
}

/** Where a row's value is found; `tail` stands for the fields nobody has documented. */
interface RowPlace {
  readonly source: CommandState;
  readonly name: string;
  readonly metric: Metric | undefined;
  readonly kind: "measured" | "derived" | "tail";
}

/** Every value the inverter has sent, by section. Rebuilt only when values appear or go. */
export function ValueSections({ store, inverter }: Props): VNode {
  const sections = useComputed(() => {
    void inverter.layout.value;
    return sectionsOf(inverter, store.metrics.value);
  });
  return (
    <section aria-labelledby="values-title">
      <div class="section-head">
        <h2 id="values-title">All values</h2>
        <p>
          Each with the command it came from and its age. <span class="tag">derived</span> means computed from values of the same answer.
        </p>
      </div>
      <div class="sections">
        {sections.value.map((section) => (
          <SectionCard key={section.id} section={section} />
        ))}
      </div>
    </section>
  );
}

/** Closed at first on a phone, where they would bury the report on the connection. */
const rarelyLookedAt = new Set(["settings", "identity", "defaults"]);

function SectionCard({ section }: { readonly section: Section }): VNode {
  return (
    <details class="card values" open={!rarelyLookedAt.has(section.id) || !window.matchMedia("(max-width: 640px)").matches}>
      <summary>
        <h3>{section.title}</h3>
      </summary>
      {section.note !== undefined && <p class="note">{section.note}</p>}
      <table role="table">
        <thead class="visually-hidden">
          <tr>
            <th scope="col">Value</th>
            <th scope="col">Reading</th>
            <th scope="col">Source and age</th>
          </tr>
        </thead>
        <tbody>
          {section.rows.map((row) => (
            <Row key={`${row.source.command} ${row.name}`} row={row} />
          ))}
        </tbody>
      </table>
    </details>
  );
}

function Row({ row }: { readonly row: RowPlace }): VNode {
  const { source, name, metric, kind } = row;
  return (
    <tr role="row" class={source.live.value ? "" : "stale"} data-command={source.command} data-name={name}>
      <th role="rowheader" scope="row">
        {kind === "tail" ? `Undocumented fields of ${source.command}` : labelOf(name, metric)}
        {kind === "derived" && <span class="tag">derived</span>}
      </th>
      <td role="cell" class="value">
        <ValueCell row={row} />
      </td>
      <td role="cell" class="meta">
        <span class="source">{source.command}</span>
        {source.live.value ? (
          <span class="age">{source.age}</span>
        ) : (
          <span class="stale-age">
            stale<span class="visually-hidden">, last read</span> {source.age}
            <span class="visually-hidden"> ago</span>
          </span>
        )}
      </td>
    </tr>
  );
}

function ValueCell({ row: { source, name, metric, kind } }: { readonly row: RowPlace }): VNode {
  const { values, derived, tail } = source.reading.value;
  if (kind === "tail") return <code>{tail.join(" ")}</code>;
  return <Shown value={kind === "derived" ? derived[name] : values[name]} metric={metric} />;
}

function Shown({ value, metric }: { readonly value: Value | undefined; readonly metric: Metric | undefined }): VNode {
  if (value === undefined) return <>–</>;
  const unit = metric?.unit === undefined ? null : <span class="unit"> {metric.unit}</span>;
  if (typeof value === "number") {
    const direction = directionOf(metric, value);
    return (
      <>
        {direction !== undefined && <span class="direction">{direction} </span>}
        {formatNumber(value, metric?.digits)}
        {unit}
      </>
    );
  }
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (typeof value === "string")
    return metric !== undefined && isWord(value) ? <>{toWords(value)}</> : <span class="verbatim">{value}</span>;
  if (value.length === 0) return <span class="none">none</span>;
  if (typeof value[0] === "number") {
    return (
      <>
        {value.join(", ")}
        {unit}
      </>
    );
  }
  return (
    <ul class="chips">
      {value.map((flag) => (
        <li key={flag}>{toWords(String(flag))}</li>
      ))}
    </ul>
  );
}

/** Enumerations are camelCase words; serial numbers, versions and model names are not and must not be respelt. */
function isWord(value: string): boolean {
  return /^[a-z][A-Za-z0-9]+$/.test(value);
}

function sectionsOf(inverter: InverterState, metrics: Readonly<Record<string, Metric>>): Section[] {
  const commands = [...inverter.commands.values()];
  const order = Object.keys(metrics);
  const own = commands.filter((command) => !isParallelUnit(command) && !isDefaults(command)).flatMap((command) => rowsOf(command, metrics));
  own.sort((one, other) => rank(order, one) - rank(order, other));
  const sections: Section[] = (Object.keys(groupTitles) as MetricGroup[]).map((group) => ({
    id: group,
    title: groupTitles[group],
    rows: own.filter(({ metric }) => (metric?.group ?? "inverter") === group),
  }));
  const defaults = commands.filter(isDefaults).flatMap((command) => rowsOf(command, metrics));
  sections.push({
    id: "defaults",
    title: "Factory defaults",
    note: "What the inverter goes back to when it is reset; not what is set now.",
    rows: defaults,
  });
  const units = new Map<string, CommandState[]>();
  for (const command of commands.filter(isParallelUnit)) {
    const number = /\d+$/.exec(command.command)?.[0] ?? command.command;
    units.set(number, [...(units.get(number) ?? []), command]);
  }
  for (const [number, members] of [...units].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }))) {
    if (members.every(isMissingUnit)) continue;
    sections.push({
      id: `unit-${number}`,
      title: `Parallel unit ${number}`,
      rows: members.flatMap((command) => rowsOf(command, metrics)).sort((one, other) => rank(order, one) - rank(order, other)),
    });
  }
  return sections.filter(({ rows }) => rows.length > 0);
}

/** A unit that is not there is answered for with a serial number of zeros; a single MAX says it does not exist, yet has one. */
function isMissingUnit({ reading }: CommandState): boolean {
  const { unitExists, serialNumber } = reading.peek().values;
  return unitExists === false && (typeof serialNumber !== "string" || /^0*$/.test(serialNumber));
}

function rowsOf(source: CommandState, metrics: Readonly<Record<string, Metric>>): RowPlace[] {
  const { values, derived, tail } = source.reading.peek();
  const place = (name: string, kind: RowPlace["kind"]): RowPlace => ({
    source,
    name,
    kind,
    metric: Object.hasOwn(metrics, name) ? metrics[name] : undefined,
  });
  return [
    ...Object.keys(values).map((name) => place(name, "measured")),
    ...Object.keys(derived).map((name) => place(name, "derived")),
    ...(tail.length > 0 ? [place("tail", "tail")] : []),
  ];
}

/** The registry's order; what it does not know comes last. */
function rank(order: readonly string[], { name }: RowPlace): number {
  const index = order.indexOf(name);
  return index === -1 ? order.length : index;
}

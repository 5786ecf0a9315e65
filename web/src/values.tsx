import { useComputed } from "@preact/signals";
import type { VNode } from "preact";
import type { Metric } from "../../src/model/metric.ts";
import type { Value } from "../../src/model/reading.ts";
import { directionOf, formatNumber, labelOf } from "./format.ts";
import { sectionsOf } from "./sections.ts";
import type { RowPlace, Section } from "./sections.ts";
import type { InverterState, Store } from "./store.ts";
import { toWords } from "./words.ts";

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
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
          Each with the command it came from and its age. <span class="tag">derived</span> means computed from values of the same answer,{" "}
          <span class="tag">estimated</span> that the inverter says it and the rest of what it says does not fit.
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

function SectionCard({ section }: { readonly section: Section }): VNode {
  const { title, unit, closed } = section;
  return (
    <details class="card values" open={closed === "never" || (closed === "onPhone" && !window.matchMedia("(max-width: 640px)").matches)}>
      <summary>
        <h3>
          {title} {unit !== undefined && <span class="serial">{String(unit.reading.value.values["serialNumber"])}</span>}
        </h3>
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
        {kind === "tail" ? `Unknown fields of ${source.command}` : labelOf(name, metric)}
        {(kind === "derived" || kind === "estimated") && <span class="tag">{kind}</span>}
      </th>
      <td role="cell" class="value">
        <ValueCell row={row} />
      </td>
      <td role="cell" class="meta">
        <span class="source">{source.command}</span>
        {source.live.value ? (
          <span class="age">{source.freshAge}</span>
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
  const { values, derived, tail, payload } = source.reading.value;
  if (kind === "tail") {
    const first = payload.trimEnd().split(" ").length - tail.length;
    return <code>{tail.map((text, index) => `field ${first + index}: ${text}`).join(", ")}</code>;
  }
  return <Shown value={values[name] ?? derived[name]} metric={metric} />;
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
      {runsOf(value.map(String)).map(({ text, times }, index) => (
        <li key={index}>
          {toWords(text)}
          {times > 1 && <span class="unit"> × {times}</span>}
        </li>
      ))}
    </ul>
  );
}

/** Enumerations are camelCase words; serial numbers, versions and model names are not and must not be respelt. */
function isWord(value: string): boolean {
  return /^[a-z][A-Za-z0-9]+$/.test(value);
}

/** Equal neighbours in one, such as the hours of a day that all have the same priority. */
function runsOf(items: readonly string[]): readonly { readonly text: string; readonly times: number }[] {
  const runs: { text: string; times: number }[] = [];
  for (const text of items) {
    const last = runs.at(-1);
    if (last?.text === text) last.times += 1;
    else runs.push({ text, times: 1 });
  }
  return runs;
}

import { useSignal, useSignalEffect } from "@preact/signals";
import type { VNode } from "preact";
import type { LinkReport } from "../../src/api/link.ts";
import type { CommandCounters, RejectReason } from "../../src/model/reading.ts";
import type { InverterState, Store } from "./store.ts";
import { reasonWords } from "./words.ts";

const everyMs = 10_000;

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
}

/** What sonkrag has found out about the line, the counters of every command, and the file for a bug report. */
export function LinkDetails({ store, inverter }: Props): VNode {
  const report = useReport({ store, inverter });
  return (
    <div class="link-details">
      {report !== undefined && <Findings report={report} />}
      {report !== undefined && <Commands commands={report.commands} />}
      <p class="note">
        <a href="/api/v1/bundle" download="sonkrag-diagnosis.json.gz">
          Download diagnosis file
        </a>{" "}
        for a bug report: traffic of the last minutes, counters and settings of sonkrag, without serial numbers, addresses and passwords.
      </p>
    </div>
  );
}

/** Undefined while it is not known, or may no longer be true. */
function useReport({ store, inverter }: Props): LinkReport | undefined {
  const report = useSignal<LinkReport | undefined>(undefined);
  useSignalEffect(() => {
    report.value = undefined;
    if (store.feed.value !== "live") return undefined;
    const stop = new AbortController();
    const load = async (): Promise<void> => {
      if (document.visibilityState === "hidden") return;
      try {
        const response = await fetch(`/api/v1/inverters/${encodeURIComponent(inverter.id)}/link`, { signal: stop.signal });
        report.value = response.ok ? ((await response.json()) as LinkReport) : undefined;
      } catch {
        // The feed tells that sonkrag cannot be reached.
        if (!stop.signal.aborted) report.value = undefined;
      }
    };
    const timer = setInterval(() => load().catch(complain), everyMs);
    load().catch(complain);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  });
  return report.value;
}

/** Everything that can go wrong on the way is dealt with; what is left is a mistake of ours. */
function complain(error: unknown): void {
  console.error(error);
}

function Findings({ report: { findings } }: { readonly report: LinkReport }): VNode {
  return (
    <section aria-labelledby="findings-title">
      <h3 id="findings-title">Found on the line in the last five minutes</h3>
      {findings.length === 0 && <p class="note">Nothing is wrong with it.</p>}
      <ul class="findings">
        {findings.map(({ code, severity, title, whatToDo }) => (
          <li key={code} class={severity}>
            <strong>
              <span class="visually-hidden">{severity === "problem" ? "Problem: " : "Note: "}</span>
              {title}
            </strong>
            <p>{whatToDo}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Commands({ commands }: Pick<LinkReport, "commands">): VNode {
  const rows = Object.entries(commands).toSorted(([one], [other]) => one.localeCompare(other));
  return (
    <details class="commands">
      <summary>
        <h3>By command</h3>
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Command</th>
            <th scope="col">Answered</th>
            <th scope="col">Takes</th>
            <th scope="col">Thrown away</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([command, counters]) => (
            <tr key={command}>
              <th scope="row">{command}</th>
              <td>
                {counters.accepted} of {counters.requests}
              </td>
              <td>{latencyText(counters.latencyMs)}</td>
              <td>{rejectedText(counters.rejected)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** Half of the answers within the first, all but one in a hundred within the second. */
function latencyText(latency: CommandCounters["latencyMs"]): string {
  return latency === undefined ? "–" : `${Math.round(latency.p50)} to ${Math.round(latency.p99)} ms`;
}

function rejectedText(rejected: CommandCounters["rejected"]): string {
  const texts = Object.entries(rejected).map(([reason, count]) => `${reasonWords[reason as RejectReason].label} ${count}`);
  return texts.join(", ") || "–";
}

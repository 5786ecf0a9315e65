import type { VNode } from "preact";
import type { SystemAlarm, SystemMember, SystemPhase, SystemState, SystemTotal, SystemValue } from "../../src/model/system.ts";
import { formatAge, formatFreshAge, formatNumber } from "./format.ts";
import { WarningIcon } from "./icons.tsx";
import type { Store } from "./store.ts";
import { toWords } from "./words.ts";

interface Props {
  readonly store: Store;
  /** Id of the inverter shown below. */
  readonly shown: string | undefined;
  readonly choose: (id: string) => void;
}

/** All units of the site: the sum, a row each, and what is the matter with them as a system. */
export function SystemStrip({ store, shown, choose }: Props): VNode | null {
  const system = store.system.value;
  if (system === undefined) return null;
  const { members, expected, answering, phases, alarms, totals } = system;
  const isKnown = store.feed.value === "live";
  return (
    <section class="card system" aria-labelledby="system-title">
      <div class="system-head">
        <h2 id="system-title">All units</h2>
        <p class={answering < expected || !isKnown ? "partial" : ""}>
          {answering} of {expected} answer{isKnown ? "" : "ed"}
        </p>
        {phases !== undefined && <Phases phases={phases} isKnown={isKnown} />}
      </div>
      {isKnown && <Alarms alarms={alarms} />}
      <table role="table">
        <thead>
          <tr role="row">
            {["Unit", ...(phases === undefined ? [] : ["Phase"]), "Mode", "Load", "Solar", "Battery", "Age"].map((title) => (
              <th key={title} role="columnheader" scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {members.map((member) => (
            <Row
              key={member.id}
              member={member}
              isLive={isKnown && member.state === "live"}
              now={store.now.value}
              isShown={member.id === shown}
              hasPhases={phases !== undefined}
              choose={store.inverters.value?.some(({ id }) => id === member.id) === true ? choose : undefined}
            />
          ))}
        </tbody>
        <tfoot role="rowgroup">
          <tr role="row" class={isKnown ? "" : "stale"}>
            <th role="rowheader" scope="row">
              Total
            </th>
            {phases !== undefined && <td role="cell" class="phase" />}
            <td role="cell" class="mode" />
            <TotalCell name="load" label="Load" total={totals["loadActivePower"]} />
            <TotalCell name="solar" label="Solar" total={totals["pvPower"]} />
            <TotalCell name="battery" label="Battery" total={totals["batteryPower"]} signed />
            <td role="cell" class="age">
              <TotalAge totals={totals} now={store.now.value} isKnown={isKnown} />
            </td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
}

interface RowProps {
  readonly member: SystemMember;
  readonly isLive: boolean;
  readonly now: number;
  readonly isShown: boolean;
  readonly hasPhases: boolean;
  /** Absent for a unit without a cable: it has no values of its own to show. */
  readonly choose: ((id: string) => void) | undefined;
}

function Row({ member, isLive, now, isShown, hasPhases, choose }: RowProps): VNode {
  const { id, phase, values, seenAt, through, ownCable } = member;
  const mode = values["operatingMode"]?.value;
  return (
    <tr role="row" class={isLive ? "" : "stale"} data-unit={id}>
      <th role="rowheader" scope="row">
        {choose === undefined ? (
          <span class="name">{id}</span>
        ) : (
          <button type="button" class="name" aria-pressed={isShown} onClick={() => choose(id)}>
            {id}
          </button>
        )}
        {!ownCable && through[0] !== undefined && (
          <span class="via">
            through {through[0].inverter}, unit {through[0].position}
          </span>
        )}
      </th>
      {hasPhases && (
        <td role="cell" class="phase">
          {phase ?? "–"}
        </td>
      )}
      <td role="cell" class="mode">
        {typeof mode === "string" ? toWords(mode) : "–"}
      </td>
      <PowerCell name="load" label="Load" value={values["loadActivePower"]} />
      <PowerCell name="solar" label="Solar" value={values["pvPower"]} />
      <PowerCell name="battery" label="Battery" value={values["batteryPower"]} signed />
      <td role="cell" class="age">
        {seenAt === undefined ? (
          <span class="tag stale-tag">not heard yet</span>
        ) : isLive ? (
          formatFreshAge(now - seenAt)
        ) : (
          <span class="tag stale-tag">stale, {formatAge(now - seenAt)}</span>
        )}
      </td>
    </tr>
  );
}

interface CellProps {
  readonly name: string;
  /** For a phone, which shows no column heads. */
  readonly label: string;
  readonly signed?: boolean;
}

function PowerCell({ name, label, value, signed }: CellProps & { readonly value: SystemValue | undefined }): VNode {
  return (
    <td role="cell" class={`power ${name} ${value?.live === false ? "old" : ""}`} data-label={label}>
      {typeof value?.value === "number" ? <Watts value={value.value} signed={signed} isEstimated={value.origin === "estimated"} /> : "–"}
    </td>
  );
}

function TotalCell({ name, label, total, signed }: CellProps & { readonly total: SystemTotal | undefined }): VNode {
  return (
    <td role="cell" class={`power ${name}`} data-label={label}>
      {total === undefined ? "–" : <Watts value={total.value} signed={signed} isEstimated={total.origin === "estimated"} />}
      {total?.complete === false && (
        <span class="part">
          {total.units} of {total.expected} units
        </span>
      )}
    </td>
  );
}

function Watts(props: { readonly value: number; readonly signed: boolean | undefined; readonly isEstimated: boolean }): VNode {
  const { value, signed, isEstimated } = props;
  const isMoving = signed === true && value !== 0;
  return (
    <span class="watts">
      {isMoving && (
        <>
          <span aria-hidden="true">{value > 0 ? "↑ " : "↓ "}</span>
          <span class="visually-hidden">{value > 0 ? "discharging " : "charging "}</span>
        </>
      )}
      {isEstimated && (
        <>
          <span aria-hidden="true">≈ </span>
          <span class="visually-hidden">about </span>
        </>
      )}
      {formatNumber(signed === true ? Math.abs(value) : value, 0)}
      {"\u00a0"}W
    </span>
  );
}

function TotalAge({
  totals,
  now,
  isKnown,
}: {
  readonly totals: SystemState["totals"];
  readonly now: number;
  readonly isKnown: boolean;
}): VNode {
  const times = ["loadActivePower", "pvPower", "batteryPower"].flatMap((key) => totals[key]?.at ?? []);
  if (times.length === 0) return <>–</>;
  const age = now - Math.min(...times);
  return isKnown ? <>{formatFreshAge(age)}</> : <span class="tag stale-tag">stale, {formatAge(age)}</span>;
}

function Phases({ phases, isKnown }: { readonly phases: readonly SystemPhase[]; readonly isKnown: boolean }): VNode {
  return (
    <ul class="phases" aria-label="Load by phase">
      {phases.map(({ phase, totals }) => {
        const load = totals["loadActivePower"];
        return (
          <li key={phase} class={load === undefined || !isKnown ? "dark" : ""}>
            <span class="phase-name">{phase}</span> {load === undefined ? "no unit answers" : `${formatNumber(load.value, 0)}\u00a0W`}
            {load?.complete === false && <span class="part"> partial</span>}
          </li>
        );
      })}
    </ul>
  );
}

/** Loud ones first; what only explains is small. */
function Alarms({ alarms }: { readonly alarms: readonly SystemAlarm[] }): VNode {
  return (
    <ul class="alarms" aria-label="What is the matter" aria-live="polite">
      {alarms.map(({ code, severity, message }) => (
        <li key={message} class={severity === "note" ? "note" : `notice ${severity === "error" ? "bad" : "caution"}`} data-code={code}>
          {severity !== "note" && <WarningIcon />}
          <p>{message}</p>
        </li>
      ))}
    </ul>
  );
}

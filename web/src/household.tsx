import type { ComponentChildren, VNode } from "preact";
import { formatNumber } from "./format.ts";
import { BatteryIcon, GridIcon, HouseIcon, SunIcon } from "./icons.tsx";
import { mainStatus, numberOf, sourceOf } from "./pick.ts";
import type { CommandState, InverterState, Store } from "./store.ts";

/** Below this the grid input carries nothing but induced voltage. */
const gridPresentVolts = 50;

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
}

/** The four things a household looks at. */
export function Household(props: Props): VNode {
  return (
    <section class="tiles" aria-label="At a glance">
      <SolarTile {...props} />
      <LoadTile {...props} />
      <BatteryTile {...props} />
      <GridTile {...props} />
    </section>
  );
}

function SolarTile({ inverter }: Props): VNode {
  const total = inverter.pvTotal.value;
  const sources = (total?.commands ?? []).flatMap((command) => inverter.commands.get(command) ?? []);
  const inputs = [1, 2, 3].flatMap((input) => {
    const watts = numberOf(sourceOf(inverter, `pv${input}Power`), `pv${input}Power`);
    const volts = numberOf(sourceOf(inverter, `pv${input}Voltage`), `pv${input}Voltage`);
    return watts === undefined ? [] : [{ input, watts, volts }];
  });
  return (
    <Tile kind="solar" icon={<SunIcon />} name="Solar" sources={sources} known={total !== undefined}>
      <Big value={total === undefined ? undefined : formatNumber(total.watts, 0)} unit="W" />
      <p class="more">
        {total?.origin === "estimated" && <span class="line">estimated: does not fit load and battery</span>}
        {inputs.length > 1
          ? inputs.map(({ input, watts }) => (
              <span key={input} class="line">
                PV{input} {formatNumber(watts, 0)}
                {"\u00a0"}W
              </span>
            ))
          : inputs[0]?.volts !== undefined && <span>{inputs[0].volts > 0 ? `${formatNumber(inputs[0].volts, 1)}\u00a0V` : "no sun"}</span>}
      </p>
    </Tile>
  );
}

function LoadTile({ inverter }: Props): VNode {
  const status = mainStatus(inverter);
  const watts = numberOf(status, "loadActivePower");
  const percent = numberOf(status, "loadPercent");
  const apparent = numberOf(status, "loadApparentPower");
  return (
    <Tile kind="load" icon={<HouseIcon />} name="Load" sources={status ? [status] : []} known={watts !== undefined}>
      <Big value={watts === undefined ? undefined : formatNumber(watts, 0)} unit="W" />
      <Bar percent={percent} label="Load of what the inverter can give" />
      <p class="more">
        {percent !== undefined && (
          <span>
            {formatNumber(percent, 0)}
            {"\u00a0"}%
          </span>
        )}
        {apparent !== undefined && (
          <span>
            {formatNumber(apparent, 0)}
            {"\u00a0"}VA
          </span>
        )}
      </p>
    </Tile>
  );
}

function BatteryTile({ inverter }: Props): VNode {
  const status = sourceOf(inverter, "batterySoc") ?? sourceOf(inverter, "batteryVoltage");
  const soc = numberOf(status, "batterySoc");
  const volts = numberOf(status, "batteryVoltage");
  const power = numberOf(status, "batteryPower");
  return (
    <Tile
      kind="battery"
      icon={<BatteryIcon />}
      name="Battery"
      sources={status ? [status] : []}
      known={soc !== undefined || volts !== undefined}
    >
      <Big value={soc === undefined ? undefined : formatNumber(soc, 0)} unit="%" />
      <Bar percent={soc} label="Battery state of charge" />
      <p class="more">
        {power !== undefined && (
          <>
            <span class="line">{power === 0 ? "at rest" : power > 0 ? "\u2191\u00a0discharging" : "\u2193\u00a0charging"}</span>
            <span>
              {formatNumber(Math.abs(power), 0)}
              {"\u00a0"}W
            </span>
          </>
        )}
        {volts !== undefined && (
          <span>
            {formatNumber(volts, 1)}
            {"\u00a0"}V
          </span>
        )}
      </p>
    </Tile>
  );
}

function GridTile({ inverter }: Props): VNode {
  const status = sourceOf(inverter, "gridVoltage");
  const volts = numberOf(status, "gridVoltage");
  const hertz = numberOf(status, "gridFrequency");
  const present = volts !== undefined && volts >= gridPresentVolts;
  return (
    <Tile kind="grid" icon={<GridIcon />} name="Grid" sources={status ? [status] : []} known={volts !== undefined}>
      <Big value={volts === undefined ? undefined : present ? "Present" : "Absent"} />
      <p class="more">
        {volts !== undefined && (
          <span>
            {formatNumber(volts, 1)}
            {"\u00a0"}V
          </span>
        )}
        {present && hertz !== undefined && (
          <span>
            {formatNumber(hertz, 1)}
            {"\u00a0"}Hz
          </span>
        )}
      </p>
    </Tile>
  );
}

interface TileProps {
  readonly kind: "solar" | "load" | "battery" | "grid";
  readonly icon: VNode;
  readonly name: string;
  /** What the tile's value is made of; the oldest decides its age, and one stale source makes it stale. */
  readonly sources: readonly CommandState[];
  readonly known: boolean;
  readonly children: ComponentChildren;
}

function Tile({ kind, icon, name, sources, known, children }: TileProps): VNode {
  const oldest = sources.reduce<CommandState | undefined>(
    (best, source) => (best === undefined || source.reading.value.at < best.reading.value.at ? source : best),
    undefined,
  );
  const live = sources.every((source) => source.live.value);
  return (
    <article class={`tile ${kind} ${live ? "" : "stale"}`}>
      <h2>
        {icon}
        {name}
      </h2>
      {children}
      <p class="age">
        {!known || oldest === undefined ? (
          "not read yet"
        ) : live ? (
          <>{oldest.ago}</>
        ) : (
          <span class="tag stale-tag">stale, last read {oldest.age} ago</span>
        )}
      </p>
    </article>
  );
}

function Big({ value, unit }: { readonly value: string | undefined; readonly unit?: string }): VNode {
  return (
    <p class="big">
      {value ?? "–"}
      {value !== undefined && unit !== undefined && <span class="unit"> {unit}</span>}
    </p>
  );
}

function Bar({ percent, label }: { readonly percent: number | undefined; readonly label: string }): VNode | null {
  if (percent === undefined) return null;
  const filled = Math.min(100, Math.max(0, percent));
  return (
    <div class="bar" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={filled}>
      <div style={{ width: `${filled}%` }} />
    </div>
  );
}

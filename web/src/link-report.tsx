import type { ComponentChildren, VNode } from "preact";
import type { RejectReason } from "../../src/model/reading.ts";
import { formatAge, timeFormat } from "./format.ts";
import { LinkDetails } from "./link-details.tsx";
import type { InverterState, Store } from "./store.ts";
import { linkWords, reasonWords } from "./words.ts";

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
}

/** How well the line to the inverter works: what was asked, what came back, and why the rest was thrown away. */
export function LinkReport({ store, inverter }: Props): VNode {
  return (
    <section class="card link" aria-labelledby="link-title">
      <h2 id="link-title">Connection and frames</h2>
      <div class="link-columns">
        <Connection store={store} inverter={inverter} />
        <Totals inverter={inverter} />
        <Rejected inverter={inverter} />
      </div>
      <LinkDetails store={store} inverter={inverter} />
    </section>
  );
}

function Connection({ store, inverter }: Props): VNode {
  const { state, since } = inverter.status.value;
  const { device, firmware, id } = inverter.info.value;
  return (
    <dl class="facts">
      <Fact name="State">
        {linkWords[state]} since {timeFormat(store.timeZone.value, true).format(since)} ({formatAge(store.now.value - since)})
      </Fact>
      <Fact name="Device">
        <code>{device}</code>
      </Fact>
      <Fact name="Known as">
        <code>{id}</code>
      </Fact>
      {firmware !== undefined && <Fact name="Firmware">{firmware}</Fact>}
    </dl>
  );
}

function Totals({ inverter }: { readonly inverter: InverterState }): VNode {
  const { requests, accepted, rejected, reconnects } = inverter.counters.value;
  // What the unit does not know it refuses, as it should: that says nothing about the line.
  const answerable = requests - rejected.nak;
  return (
    <dl class="facts numbers">
      <Fact name="Requests">{requests}</Fact>
      <Fact name="Answers accepted">
        {accepted}
        {answerable > 0 && <span class="share"> {((100 * accepted) / answerable).toFixed(1)} %</span>}
      </Fact>
      <Fact name="Reconnects">{reconnects}</Fact>
    </dl>
  );
}

function Rejected({ inverter }: { readonly inverter: InverterState }): VNode {
  const { rejected } = inverter.counters.value;
  return (
    <div>
      <h3>Thrown away, by reason</h3>
      <dl class="facts numbers reasons">
        {(Object.keys(reasonWords) as RejectReason[]).map((reason) => (
          <div key={reason} class={rejected[reason] === 0 ? "zero" : ""} title={reasonWords[reason].meaning}>
            <dt>
              {reasonWords[reason].label}
              <small>{reasonWords[reason].meaning}</small>
            </dt>
            <dd>{rejected[reason]}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

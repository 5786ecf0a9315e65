import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { VNode } from "preact";
import { Footer, Header, Notices, SimulatedBanner } from "./header.tsx";
import { Household } from "./household.tsx";
import { LinkReport } from "./link-report.tsx";
import { ModelCard } from "./model-card.tsx";
import { Plot } from "./plot.tsx";
import { SystemStrip } from "./system.tsx";
import { titleOf } from "./title.ts";
import type { InverterState, Store } from "./store.ts";
import { ValueSections } from "./values.tsx";
import { linkWords } from "./words.ts";

export function Page({ store }: { readonly store: Store }): VNode {
  /** Kept in the address, so that a reload or a bookmark shows the same inverter. */
  const chosen = useSignal(location.hash.slice(1));
  const inverter = useComputed(() => {
    const all = store.inverters.value ?? [];
    return all.find(({ id }) => id === chosen.value) ?? all[0];
  });
  const isSystem = useComputed(() => store.system.value !== undefined);
  useSignalEffect(() => {
    document.title = titleOf(store, inverter.value);
  });
  const choose = (id: string): void => {
    chosen.value = id;
    history.replaceState(null, "", `#${id}`);
  };
  const shown = inverter.value;
  return (
    <>
      {shown?.info.value.simulated === true && <SimulatedBanner />}
      <div class="page">
        <Header store={store} inverter={shown} />
        {isSystem.value ? (
          <SystemStrip store={store} shown={shown?.id} choose={choose} />
        ) : (
          (store.inverters.value?.length ?? 0) > 1 && (
            <InverterChoice inverters={store.inverters.value ?? []} shown={shown} choose={choose} />
          )
        )}
        <Notices store={store} inverter={shown} />
        {shown === undefined ? <Waiting store={store} /> : <InverterView key={shown.id} store={store} inverter={shown} />}
        <Footer store={store} />
      </div>
    </>
  );
}

function InverterView({ store, inverter }: { readonly store: Store; readonly inverter: InverterState }): VNode {
  return (
    <main>
      <Household store={store} inverter={inverter} />
      <Plot store={store} inverter={inverter} />
      <ValueSections store={store} inverter={inverter} />
      <LinkReport store={store} inverter={inverter} />
      <ModelCard inverter={inverter} />
    </main>
  );
}

function InverterChoice(props: {
  readonly inverters: readonly InverterState[];
  readonly shown: InverterState | undefined;
  readonly choose: (id: string) => void;
}): VNode {
  return (
    <nav class="segments choice" aria-label="Inverter">
      {props.inverters.map(({ id, status }) => (
        <button key={id} type="button" aria-pressed={id === props.shown?.id} onClick={() => props.choose(id)}>
          <span class={`dot ${status.value.state}`} aria-hidden="true" />
          {id}
          <span class="visually-hidden"> ({linkWords[status.value.state]})</span>
        </button>
      ))}
    </nav>
  );
}

function Waiting({ store }: { readonly store: Store }): VNode {
  return (
    <main>
      <p class="waiting">
        {store.inverters.value === undefined ? "Connecting to sonkrag…" : "No inverter has been found yet. sonkrag keeps looking."}
      </p>
    </main>
  );
}

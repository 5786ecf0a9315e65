import type { VNode } from "preact";
import { formatAge } from "./format.ts";
import { Mark, WarningIcon } from "./icons.tsx";
import { sourceOf, valueOf } from "./pick.ts";
import type { InverterState, Store } from "./store.ts";
import { linkWords, toWords } from "./words.ts";

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
}

/** Signs that only tell what is going on; everything else the inverter warns of deserves attention. */
const informational = new Set(["pvLoss", "batteryEqualizing"]);

export function SimulatedBanner(): VNode {
  return (
    <p class="simulated" role="note">
      <strong>Simulated inverter:</strong> nothing here is real
    </p>
  );
}

export function Header({ store, inverter }: { readonly store: Store; readonly inverter: InverterState | undefined }): VNode {
  return (
    <header class="top">
      <h1>
        <Mark />
        sonkrag
      </h1>
      {inverter !== undefined && <Identity inverter={inverter} />}
      <ConnectionState store={store} inverter={inverter} />
    </header>
  );
}

function Identity({ inverter }: { readonly inverter: InverterState }): VNode {
  const { id, model, serialNumber } = inverter.info.value;
  return (
    <p class="identity">
      <span class="model">{model ?? id}</span>
      {serialNumber !== undefined && <span class="serial">{serialNumber}</span>}
    </p>
  );
}

function ConnectionState({ store, inverter }: { readonly store: Store; readonly inverter: InverterState | undefined }): VNode {
  const { kind, text } = connection(store, inverter);
  return (
    <p class={`state ${kind}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </p>
  );
}

function connection(store: Store, inverter: InverterState | undefined): { kind: "good" | "waiting" | "bad"; text: string } {
  if (store.feed.value === "lost") return { kind: "bad", text: "No connection to sonkrag" };
  if (store.feed.value === "connecting") return { kind: "waiting", text: "Connecting" };
  if (inverter === undefined) return { kind: "waiting", text: "Looking for an inverter" };
  const { state } = inverter.status.value;
  if (state === "lost" || state === "silent") return { kind: "bad", text: linkWords[state] };
  if (state === "starting") return { kind: "waiting", text: linkWords[state] };
  const source = sourceOf(inverter, "operatingMode");
  const mode = source === undefined ? undefined : valueOf(source, "operatingMode");
  if (source?.live.value !== true || typeof mode !== "string") return { kind: "good", text: linkWords.online };
  return { kind: mode === "fault" ? "bad" : "good", text: `${linkWords.online}, ${toWords(mode).toLowerCase()} mode` };
}

/** What is wrong, loudest first: our own connection, the link to the inverter, then what the inverter itself reports. */
export function Notices({ store, inverter }: { readonly store: Store; readonly inverter: InverterState | undefined }): VNode {
  return (
    <>
      {store.feed.value === "lost" && <FeedLost store={store} />}
      {inverter !== undefined && store.feed.value === "live" && <LinkTrouble store={store} inverter={inverter} />}
      {inverter !== undefined && <Warnings store={store} inverter={inverter} />}
    </>
  );
}

function FeedLost({ store }: { readonly store: Store }): VNode {
  return (
    <section class="notice bad" role="alert">
      <WarningIcon />
      <div>
        <strong>Connection to sonkrag lost.</strong> Values are{" "}
        <span aria-live="off">{formatAge(store.now.value - store.lastMessageAt.value)}</span> old. Trying again by itself.
      </div>
    </section>
  );
}

function LinkTrouble({ store, inverter }: Props): VNode | null {
  const { state, message, since } = inverter.status.value;
  if (state === "online" || (state === "starting" && message === "")) return null;
  return (
    <section class={`notice ${state === "starting" ? "caution" : "bad"}`} role="alert">
      <WarningIcon />
      <div>
        <strong>
          {linkWords[state]} for <span aria-live="off">{formatAge(store.now.value - since)}</span>.
        </strong>{" "}
        {message}
      </div>
    </section>
  );
}

function Warnings({ inverter }: Props): VNode | null {
  const source = sourceOf(inverter, "warnings");
  const warnings = source === undefined ? undefined : valueOf(source, "warnings");
  const fault = sourceOf(inverter, "operatingMode");
  const isFault = fault !== undefined && valueOf(fault, "operatingMode") === "fault";
  const names = Array.isArray(warnings) ? (warnings as readonly string[]) : [];
  const serious = names.filter((name) => !informational.has(name));
  const notes = names.filter((name) => informational.has(name));
  if (serious.length === 0 && notes.length === 0 && !isFault) return null;
  const kind = isFault || serious.includes("inverterFault") ? "bad" : serious.length > 0 ? "caution" : "calm";
  return (
    <section class={`notice ${kind}`} aria-label="Warnings">
      <WarningIcon />
      <div>
        <strong>{kind === "bad" ? "Inverter fault" : kind === "caution" ? "The inverter warns" : "The inverter notes"}</strong>
        {source !== undefined && !source.live.value && <span class="tag stale-tag">stale, last read {source.age} ago</span>}
        <ul class="chips">
          {[...serious, ...notes].map((name) => (
            <li key={name}>{toWords(name)}</li>
          ))}
        </ul>
      </div>
    </section>
  );
}

export function Footer({ store }: { readonly store: Store }): VNode {
  return (
    <footer class="foot">
      <span>sonkrag {store.version}</span>
      <span>Times in {store.timeZone}</span>
      <a href="/api/v1/snapshot">These values as JSON</a>
    </footer>
  );
}

import type { VNode } from "preact";
import type { Notice } from "../../src/model/reading.ts";
import { formatAge } from "./format.ts";
import { Mark, WarningIcon } from "./icons.tsx";
import { sourceOf, unitCount, valueOf } from "./pick.ts";
import type { CommandState, InverterState, Store } from "./store.ts";
import { linkWords, toWords } from "./words.ts";

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
}

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
  const units = unitCount(inverter);
  return (
    <p class="identity">
      <span class="model">{model ?? id}</span>
      {serialNumber !== undefined && <span class="serial">{serialNumber}</span>}
      {units > 1 && <span>One of {units} parallel units</span>}
      <Notes inverter={inverter} />
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
      {inverter !== undefined && <Warnings inverter={inverter} />}
    </>
  );
}

function FeedLost({ store }: { readonly store: Store }): VNode {
  return (
    <section class="notice bad" role="alert">
      <WarningIcon />
      <div>
        <p>
          <strong>Connection to sonkrag lost</strong>
          <span class="duration" aria-live="off">
            for {formatAge(store.now.value - store.lastMessageAt.value)}
          </span>
        </p>
        <p>These are the last values that came. The page tries again by itself.</p>
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
        <p>
          <strong>{linkWords[state]}</strong>
          <span class="duration" aria-live="off">
            for {formatAge(store.now.value - since)}
          </span>
        </p>
        {message !== "" && <p>{message.charAt(0).toUpperCase() + message.slice(1)}</p>}
      </div>
    </section>
  );
}

interface Told {
  readonly source: CommandState | undefined;
  readonly fault: boolean;
  /** What asks for a look at the inverter, and what only tells what is going on. */
  readonly serious: readonly Notice[];
  readonly notes: readonly Notice[];
}

/** What the inverter says of itself. */
function told(inverter: InverterState): Told {
  const source = sourceOf(inverter, "warnings");
  const mode = sourceOf(inverter, "operatingMode");
  const notices = source?.reading.value.notices ?? [];
  return {
    source,
    fault: (mode !== undefined && valueOf(mode, "operatingMode") === "fault") || notices.some(({ severity }) => severity === "fault"),
    serious: notices.filter(({ severity }) => severity !== "info"),
    notes: notices.filter(({ severity }) => severity === "info"),
  };
}

/** One calm line in the header, where it moves nothing: no sun at night is no news. */
function Notes({ inverter }: { readonly inverter: InverterState }): VNode | null {
  const { source, fault, serious, notes } = told(inverter);
  if (notes.length === 0 || serious.length > 0 || fault || source?.live.value !== true) return null;
  return <span>Note: {notes.map(({ title }) => title).join(", ")}</span>;
}

function Warnings({ inverter }: { readonly inverter: InverterState }): VNode | null {
  const { source, fault, serious, notes } = told(inverter);
  if (serious.length === 0 && !fault) return null;
  return (
    <section class={`notice ${fault ? "bad" : "caution"}`} aria-label="Warnings">
      <WarningIcon />
      <div class="warned">
        <strong>{fault ? "Inverter fault" : "The inverter warns"}</strong>
        {source !== undefined && !source.live.value && <span class="tag stale-tag">stale, last read {source.age} ago</span>}
        <ul class="explained">
          {[...serious, ...notes].map(({ key, title, explanation, advice }) => (
            <li key={key}>
              <strong>{title}</strong> {explanation} {advice}
            </li>
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
      <a href="/api/v1/snapshot">Raw snapshot as JSON</a>
    </footer>
  );
}

import type { CardDocument } from "../model/card.ts";
import type { LinkReport } from "../api/link.ts";
import type { LiveSnapshot } from "../api/live.ts";
import { NotRunningError } from "../model/errors.ts";
import { DaemonClient } from "./daemon-client.ts";
import { readRuntimeFile } from "./runtime-file.ts";

const answerWithinMs = 5000;

/** Base URL of the sonkrag that has its data there. Throws NotRunningError. */
export async function runningUrl(dataDir: string): Promise<string> {
  const runtime = await readRuntimeFile(dataDir);
  if (runtime === undefined) throw new NotRunningError(`expected a running sonkrag with its data in ${dataDir}, found none`);
  if (runtime.http === undefined) {
    throw new NotRunningError(
      `expected the HTTP interface of sonkrag (process ${runtime.pid}), but its configuration has http.enabled: false`,
    );
  }
  return runtime.http;
}

/** The latest values of the sonkrag that has its data there; over its local socket where its HTTP interface is off. Throws NotRunningError. */
export async function runningSnapshot(dataDir: string, { signal }: { readonly signal: AbortSignal }): Promise<LiveSnapshot> {
  const runtime = await readRuntimeFile(dataDir);
  if (runtime?.http !== undefined || runtime?.socket === undefined) return await fetchSnapshot(await runningUrl(dataDir), { signal });
  await using daemon = await DaemonClient.open(dataDir, { signal });
  return (await daemon.call("snapshot", undefined, { signal })) as LiveSnapshot;
}

/** The latest values of a running sonkrag. Throws NotRunningError. */
export async function fetchSnapshot(base: string, { signal }: { readonly signal: AbortSignal }): Promise<LiveSnapshot> {
  const path = "/api/v1/snapshot";
  const snapshot = (await fetchFrom(base, path, (response) => response.json(), { signal })) as LiveSnapshot;
  if (snapshot.type !== "snapshot")
    throw new NotRunningError(`${new URL(path, base).href}: expected the values of sonkrag, got something else`);
  return snapshot;
}

/** How the link to an inverter of a running sonkrag works. Throws NotRunningError. */
export async function fetchLink(base: string, inverter: string, { signal }: { readonly signal: AbortSignal }): Promise<LinkReport> {
  return (await fetchFrom(base, `/api/v1/inverters/${inverter}/link`, (response) => response.json(), { signal })) as LinkReport;
}

/** What was found out about the make of an inverter of a running sonkrag. Throws NotRunningError. */
export async function fetchCard(base: string, inverter: string, { signal }: { readonly signal: AbortSignal }): Promise<CardDocument> {
  return (await fetchFrom(base, `/api/v1/inverters/${inverter}/card`, (response) => response.json(), { signal })) as CardDocument;
}

/** The diagnosis file of a running sonkrag. Throws NotRunningError. */
export async function fetchBundle(base: string, { signal }: { readonly signal: AbortSignal }): Promise<Uint8Array> {
  return new Uint8Array(await fetchFrom(base, "/api/v1/bundle", (response) => response.arrayBuffer(), { signal }));
}

/** Hands over the traffic of an inverter of a running sonkrag as it comes. Rejects with the signal's reason, or NotRunningError at its end. */
export async function readTraffic(
  base: string,
  inverter: string,
  take: (text: string) => void,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const url = new URL(`/api/v1/inverters/${inverter}/traffic`, base);
  const expected = `${url.href}: expected the traffic of a running sonkrag`;
  const text = new TextDecoder();
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new NotRunningError(`${expected}, got status ${response.status}`);
    for await (const chunk of response.body) take(text.decode(chunk as Uint8Array, { stream: true }));
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof NotRunningError ? cause : new NotRunningError(`${expected}, got ${reasonOf(cause)}`, { cause });
  }
  throw new NotRunningError(`${expected}, got its end`);
}

async function fetchFrom<T>(
  base: string,
  path: string,
  read: (response: Response) => Promise<T>,
  { signal }: { readonly signal: AbortSignal },
): Promise<T> {
  const url = new URL(path, base);
  const deadline = AbortSignal.timeout(answerWithinMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, deadline]), headers: { accept: "application/json, */*" } });
    if (!response.ok) throw new NotRunningError(`${url.href}: expected an answer of sonkrag, got status ${response.status}`);
    return await read(response);
  } catch (cause) {
    if (signal.aborted || cause instanceof NotRunningError) throw cause;
    const reason = deadline.aborted ? `no answer within ${answerWithinMs / 1000} s` : reasonOf(cause);
    throw new NotRunningError(`${url.href}: expected a running sonkrag, got ${reason}`, { cause });
  }
}

/** What fetch calls "fetch failed" has its reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

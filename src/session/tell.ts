import type { ChecksumHabit } from "../protocol/crc.ts";
import { verdictOf } from "../protocol/decode.ts";
import { encodeCommand } from "../protocol/encode.ts";
import { hex, type Frame, type FrameDecoder } from "../protocol/frame.ts";
import { discardReason } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import type { ExchangeObserver, Timing, Told } from "./job.ts";
import type { Pace } from "./pace.ts";
import type { Transport } from "./transport.ts";

/** A quiet line: nothing is owed and nothing waits for proof. */
export interface QuietLine {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly pace: Pace;
  readonly decoder: FrameDecoder;
  readonly observer: ExchangeObserver;
  /** True while the ACK or NAK of an earlier command may still come. */
  readonly owesVerdict: boolean;
  /** Takes a frame that is neither ACK nor NAK. */
  readonly onStranger: (frame: Frame) => void;
}

/**
 * Sends a command that changes something, once, and waits for ACK or NAK. Where an earlier command's may still come, a second one
 * is waited for: units answer in order, so that is the verdict. Rejects only with TransportError.
 */
export async function tell(line: QuietLine, command: string, checksum: ChecksumHabit): Promise<Told> {
  const { transport, clock, timing, pace, decoder, observer, owesVerdict } = line;
  const sent = encodeCommand(command, checksum);
  // From here on nothing may cut it short: what was sent has to be told.
  const { signal } = new AbortController();
  const started = clock.monotonic();
  await transport.write(sent, { signal });
  observer.requested(command);
  const left = started + sent.length * pace.byteMs;
  let lastByteAt = left;
  let spoilt: Uint8Array | undefined;
  let first: (Told & { readonly answer: "ack" | "nak"; readonly tookMs: number }) | undefined;
  const taken = ({ answer, received, at, tookMs }: NonNullable<typeof first>): Told => {
    if (answer === "nak") observer.rejected("nak", command, command);
    else observer.accepted(command, tookMs);
    return { answer, sent, ...(received && { received }), at };
  };
  for (let looks = 0; ; looks++) {
    await clock.sleep(pace.pauseMs(looks), { signal });
    const chunk = transport.take();
    const seenAt = clock.monotonic();
    if (chunk.length > 0) lastByteAt = Math.max(left, seenAt);
    const silentMs = seenAt - lastByteAt;
    const parts = decoder.push(chunk);
    if (decoder.open && silentMs >= timing.interByteMs) parts.push(...decoder.flush());
    for (const part of parts) {
      const verdict = part.kind === "frame" ? verdictOf(part) : undefined;
      if (verdict !== undefined) {
        const told = { answer: verdict, sent, received: part.raw, at: clock.now(), tookMs: seenAt - started };
        if (!owesVerdict) return taken(told);
        if (first !== undefined) {
          observer.rejected("late", hex(first.received ?? sent), command);
          return taken(told);
        }
        first = told;
        continue;
      }
      if (part.kind === "frame") line.onStranger(part);
      else observer.rejected(discardReason(part, sent), hex(part.raw), command);
      if (part.kind === "discarded" && part.reason !== "noise") spoilt = part.raw;
    }
    if (silentMs < (spoilt ? timing.interByteMs : timing.firstByteMs)) continue;
    if (first !== undefined) return { ...taken(first), doubtful: true };
    if (spoilt) return { answer: "spoilt", sent, received: spoilt, at: clock.now() };
    observer.rejected("timeout", command, command);
    return { answer: "silence", sent, at: clock.now() };
  }
}

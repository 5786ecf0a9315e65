import type { LinkFinding } from "../api/link.ts";
import type { EnergyBalance } from "../model/balance.ts";
import type { LinkStatus } from "../model/reading.ts";
import type { Evidence, Tail } from "./evidence.ts";

/** What is known of a link. */
export interface LinkFacts {
  readonly evidence: Evidence;
  readonly status: Pick<LinkStatus, "state">;
  /** True if the unit has ever answered since the program started. */
  readonly everAnswered: boolean;
  /** Of the unit; absent where nobody has watched it. */
  readonly balance?: EnergyBalance;
}

/** Every finding that there is: what is the matter, and what to do. Listed in docs/diagnosis.md. */
export const findingTexts = {
  "echo-only": {
    severity: "problem",
    title: "Only our own bytes come back.",
    whatToDo:
      "Transmit and receive are joined somewhere: look at the wiring and at the plug. An adapter in loop-back mode, or an RS485 adapter on an RS232 port, does the same.",
  },
  silent: {
    severity: "problem",
    title: "The port is open, and not one byte comes back.",
    whatToDo:
      "Check that the inverter is switched on, that the cable is in its communication port (not in the one for batteries or parallel units), that transmit and receive are not swapped, and the speed (2400 baud).",
  },
  hung: {
    severity: "problem",
    title: "The inverter answered before, and now not one byte comes back.",
    whatToDo:
      "Check the cable. If it is in place, the inverter's communication port hangs: switch the inverter off completely, wait until its display is dark, and switch it on.",
  },
  "wrong-speed": {
    severity: "problem",
    title: "Bytes come back, but they are no text.",
    whatToDo:
      "The baud rate is wrong (2400 is usual), or the adapter inverts the signal (TTL in place of RS232 levels). `sonkrag doctor --device serial:…` tries the other speeds.",
  },
  unreadable: {
    severity: "problem",
    title: "Replies come back, but not one of them is whole.",
    whatToDo: "Look at the cable, its length and its ground; use another adapter or a shorter cable.",
  },
  "other-protocol": {
    severity: "problem",
    title: "The unit answers in another protocol.",
    whatToDo: "Replies that begin with ^ or # belong to the protocols PI16 to PI41, which cannot be read. Please send a diagnosis file.",
  },
  "refuses-all": {
    severity: "problem",
    title: "The unit refuses everything, even what every unit of this protocol answers.",
    whatToDo:
      "It speaks another protocol, or it is not ready: just switched on, in fault, or busy with its display. Wait a minute; then switch it off and on.",
  },
  "port-goes-away": {
    severity: "problem",
    title: "The port goes away and comes back while the inverter answers.",
    whatToDo: "Look at the USB plug, the cable and the hub's power supply; a bridge in the network may be losing its connection.",
  },
  "second-master": {
    severity: "problem",
    title: "Replies come that nobody here has asked for.",
    whatToDo:
      "Another program or a vendor's dongle asks on the same port. Stop it, or let it ask through sonkrag. Values are checked and stay right, but some are lost.",
  },
  "old-replies": {
    severity: "problem",
    title: "Old replies come again before the true ones.",
    whatToDo:
      "The adapter, the bridge or the kernel's queue holds replies back. They are told apart and thrown away. Stop other programs on this port; replug the adapter; on a bridge in the network, turn its buffering off.",
  },
  "late-replies": {
    severity: "problem",
    title: "Replies come after they have been given up.",
    whatToDo:
      "The inverter or the bridge is slow at times. Late replies are thrown away. On a bridge in the network, look at the connection.",
  },
  "damaged-replies": {
    severity: "problem",
    title: "Replies arrive damaged.",
    whatToDo:
      "Damaged replies are found out by their checksum and asked again. Look at the cable, its length and its ground, and keep it away from the power cables.",
  },
  "lost-replies": {
    severity: "problem",
    title: "Some questions get no answer.",
    whatToDo: "They are asked again. Look at the plugs; a second program on the port, or a weak adapter, swallows replies too.",
  },
  noise: {
    severity: "problem",
    title: "Stray bytes arrive between the replies.",
    whatToDo: "They are thrown away. Look at the ground and the shield of the cable, and keep it away from the power cables.",
  },
  echo: {
    severity: "note",
    title: "The adapter sends our own bytes back before the reply.",
    whatToDo: "Nothing is lost: they are recognised. If the adapter has a setting for echo, turn it off.",
  },
  "queued-replies": {
    severity: "note",
    title: "Replies were waiting in the port before anything was asked.",
    whatToDo: "They are left over from another program or an earlier run, and were thrown away.",
  },
  "pv-power-doubtful": {
    severity: "problem",
    title: "The PV power does not fit the load and the battery.",
    whatToDo:
      "For most of an hour in which it could be checked, PV and battery gave much more, or much less, than load and losses took. PV power is shown as estimated. See whether a string is missing, and whether something else charges or drains the battery through this unit; else it counts its PV power in another way: please send a diagnosis file.",
  },
} as const satisfies Readonly<Record<string, Omit<LinkFinding, "code">>>;
export type FindingCode = keyof typeof findingTexts;

/** Questions in a row without a right answer after which something is wrong with all of them. */
const nothingRight = 5;
/** Share of the questions from which on damage is a problem, and from which on it is worth a word. */
const problemShare = 0.05;
const noteShare = 0.01;
/** Fewer than this may be chance. */
const least = 3;

/** What is the matter with a link, the gravest first; empty when nothing is. */
export function findingsOf({ evidence, status, everAnswered, balance }: LinkFacts): LinkFinding[] {
  // Nothing is said of a port that cannot be opened: the link's own message does.
  const total = status.state === "lost" ? undefined : totalFailure(evidence.tail, everAnswered || evidence.good > 0);
  const found: LinkFinding[] = total === undefined ? [] : [findingOf(total)];
  const share = (count: number, code: FindingCode): void => {
    const part = count / Math.max(1, evidence.asked);
    if (count >= least && part >= noteShare) found.push(findingOf(code, part >= problemShare ? "problem" : "note"));
  };
  const few = (count: number, code: FindingCode): void => {
    if (count >= 2) found.push(findingOf(code));
  };
  few(evidence.losses, "port-goes-away");

  few(evidence.unasked, "second-master");
  // A second program's replies also come right behind ours.
  if (evidence.unasked < 2 || evidence.doubled > 4 * evidence.unasked) few(evidence.doubled, "old-replies");
  few(evidence.late, "late-replies");
  if (evidence.queued > 0) found.push(findingOf("queued-replies"));
  if (balance?.state === "fails") found.push(findingOf("pv-power-doubtful"));
  if (evidence.good === 0) return found;

  share(evidence.damaged, "damaged-replies");
  share(evidence.unanswered - evidence.late - (total === undefined ? 0 : evidence.tail.asked), "lost-replies");
  share(evidence.noiseRuns, "noise");
  if (evidence.echoes >= least && total !== "echo-only") found.push(findingOf("echo"));
  return found;
}

/** Why nothing at all is right any more; absent while something is. */
function totalFailure(tail: Tail, everAnswered: boolean): FindingCode | undefined {
  if (tail.asked < nothingRight) return undefined;
  if (tail.otherProtocol >= 2) return "other-protocol";
  if (tail.refusedBasics >= least) return "refuses-all";
  if (tail.echoes >= least) return "echo-only";
  if (tail.noiseBytes >= least && tail.highBytes >= tail.noiseBytes / 5) return "wrong-speed";
  if (tail.damaged >= least || tail.noiseBytes >= 2 * tail.asked) return "unreadable";
  if (tail.bytes === 0) return everAnswered ? "hung" : "silent";
  return undefined;
}

function findingOf(code: FindingCode, severity: LinkFinding["severity"] = findingTexts[code].severity): LinkFinding {
  const { title, whatToDo } = findingTexts[code];
  return { code, severity, title, whatToDo };
}

import { expect, it } from "vitest";
import type { Actor } from "../model/control.ts";
import { journalRow } from "./journal.ts";

const endOf = (actor: Actor): string =>
  journalRow({ n: 7, at: Date.UTC(2026, 5, 21), kind: "leaseEnd", lease: "l1", inverter: "garage", setting: "buzzer", actor }).join(" ");

it("tells a lease that somebody gave up from one that gave way to another's change", () => {
  expect(endOf({ via: "cli", name: "anna" })).toBe(
    "7 2026-06-21T00:00:00Z garage cli anna the lease of buzzer was given up; what is set stays ",
  );
  expect(endOf({ via: "lease", name: "l1" })).toMatch(/the lease of buzzer gave way: the setting was changed elsewhere meanwhile/);
  expect(endOf({ via: "lease", name: "l1" })).not.toMatch(/given up/);
});

/** Commands that nothing here sends, whoever wants it: they calibrate, imitate other devices or brand the unit. */
export interface Forbidden {
  readonly pattern: RegExp;
  /** Their codes, for people. */
  readonly commands: string;
  readonly why: string;
}

/** Source: notes §9.7, and the rows of class X in §9.4, §9.6 and §13.2. */
export const forbidden: readonly Forbidden[] = [
  { pattern: /^PSDF/, commands: "PSDF", why: "starts a calibration, for which the factory's instruments are needed" },
  { pattern: /^PBAT[HL]/, commands: "PBATH, PBATL", why: "shifts the calibration of the battery voltage" },
  { pattern: /^PMID/, commands: "PMID", why: "stores a calibration point of the converter" },
  { pattern: /^PSAVE/, commands: "PSAVE", why: "stores a calibration for ever" },
  { pattern: /^BTA/, commands: "BTA", why: "shifts what the unit takes for its battery voltage: a battery may be overcharged" },
  { pattern: /^PVA/, commands: "PVA", why: "shifts what the unit takes for the PV voltage" },
  { pattern: /^CF\d/, commands: "CF", why: "forces the fans, which may stop the cooling" },
  { pattern: /^PBF\d/, commands: "PBF with digits", why: "calibrates the battery offset" },
  { pattern: /^SID/, commands: "SID", why: "writes another serial number into the unit" },
  { pattern: /^PBMS/, commands: "PBMS", why: "pretends to be the battery's own management: its limits would be replaced by invented ones" },
  { pattern: /^ATE/, commands: "ATE1, ATE0", why: "puts the remote panel into a test mode in which it stops asking" },
  { pattern: /^(~|PSET)/, commands: "~S…, PSET", why: "replaces the complete configuration of a Revo at once" },
];

/** The reference of a dialect's settings, families and barred commands, written from their declarations. Works on the build. */
import { readFileSync } from "node:fs";
import { decodeReply } from "../dist/protocol/decode.js";
import { findRequest } from "../dist/protocol/pi30/dialect.js";
import { families, unknownFamily, widestVoltages } from "../dist/protocol/pi30/family-list.js";
import { settings } from "../dist/protocol/pi30/settings/catalogue.js";
import { forbidden } from "../dist/protocol/pi30/settings/forbidden.js";
import { describeAllowed } from "../dist/protocol/setting.js";

/** @import { Family, FamilyRule } from "../dist/protocol/pi30/family.js" */
/** @import { Allowed } from "../dist/model/setting.js" */
/** @import { Setting, UnitFacts } from "../dist/protocol/setting.js" */

const everyFamily = [...families, unknownFamily];

/** A unit that answers everything, so that a setting shows what its family takes. */
const answering = JSON.parse(readFileSync(new URL("../test/fixtures/settings-unit.json", import.meta.url), "utf8"));

/** @returns {UnitFacts["values"]} */
function values() {
  const all = Object.entries(answering.replies).map(([command, payload]) => {
    const reply = decodeReply(findRequest(command), { body: String(payload) });
    return reply.kind === "data" ? reply.values : {};
  });
  return Object.assign({}, ...all);
}
const facts = values();

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|");
/** @param {readonly string[]} keys */
const keys = (keys) => keys.map((key) => `\`${key}\``).join(", ");
/** @param {readonly string[]} header @param {readonly (readonly string[])[]} rows */
const table = (header, rows) => [header, header.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

/** Families with the same text together. @param {(family: Family) => string} textOf @returns {[text: string, keys: string[]][]} */
function grouped(textOf) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const family of everyFamily) {
    const text = textOf(family);
    groups.set(text, [...(groups.get(text) ?? []), family.key]);
  }
  return [...groups];
}

/** @param {Setting} setting @param {Family} family */
function offeredTo(setting, family) {
  const unit = { values: facts, family: family.key, unit: 0, wide: false };
  const allowed = setting.allowed(unit);
  if (allowed.kind === "none") return "";
  // Where the unit itself tells what it takes, a list here would only repeat the example.
  const listed = setting.needs.some(({ code }) => /^QM\w*CHGCR$/.test(code));
  if (listed) return `the currents that the unit lists; 20 A: ${keys(setting.commands(20, unit))}`;
  if (allowed.kind !== "list") {
    const first = allowed.kind === "range" ? setting.commands(allowed.min, unit)[0] : undefined;
    return `${describeAllowed(allowed, setting.info.unit)}${first === undefined ? "" : `; the lowest is \`${first}\``}`;
  }
  return allowed.values.map((value) => `${String(value)} ${keys(setting.commands(value, unit))}`).join(" · ");
}

/** @param {string} code @param {string} shape */
function commandText(code, shape) {
  if (shape.includes(code)) return `Command: ${shape}.`;
  return shape === "no argument" ? `Command \`${code}\`.` : `Command \`${code}\` and ${shape}.`;
}

/** @param {Setting} setting */
function section(setting) {
  const { info, code, shape, readBack, needs, source } = setting;
  const groups = grouped((family) => offeredTo(setting, family));
  const offered = groups.filter(([text]) => text !== "");
  const widest = offered.toSorted(([, one], [, other]) => other.length - one.length)[0]?.[0];
  /** @param {string} text @param {string[]} of */
  const isRest = (text, of) => text === widest && of.length > everyFamily.length / 2;
  const lines = offered
    .toSorted(([text, of], [other, ofOther]) => Number(isRest(text, of)) - Number(isRest(other, ofOther)))
    .map(([text, of]) => {
      const whose = of.length === everyFamily.length ? "" : isRest(text, of) ? "All other families: " : `${keys(of)}: `;
      return `- ${whose}${text}`;
    });
  const none = groups.find(([text]) => text === "")?.[1] ?? [];
  const head = [
    info.lcdProgram === undefined ? "" : `Program ${String(info.lcdProgram).padStart(2, "0")} on the display.`,
    info.level === "everyday" ? "Everyday." : "Expert.",
    info.confirm === undefined ? "" : `To be confirmed with the words “${info.confirm}”.`,
    commandText(code, shape),
    readBack === undefined ? "Cannot be read back." : `Read back from \`${readBack.query.code}\`.`,
    needs.length > (readBack ? 1 : 0)
      ? `Looks at ${keys(needs.filter((query) => query !== readBack?.query).map((query) => query.code))} as well.`
      : "",
    `Source: ${source}.`,
  ];
  return [
    `### \`${info.name}\`: ${info.label}`,
    "",
    info.explanation,
    "",
    head.filter(Boolean).join(" "),
    "",
    ...lines,
    ...(none.length === 0 ? [] : [`- Not offered: ${none.length > everyFamily.length / 2 ? "all other families" : keys(none)}`]),
  ].join("\n");
}

/** @param {FamilyRule} rule */
function ruleText({ modelNumbers, modelName, fields, answers, lacks, payload }) {
  return [
    modelNumbers && `model number ${modelNumbers.join(", ")}`,
    modelName && `model name matching \`${modelName.source}\``,
    ...Object.entries(fields ?? {}).map(([command, counts]) => `${counts.join(" or ")} fields in \`${command}\``),
    ...(payload ?? []).map(([command, pattern]) => `\`${command}\` matching \`${pattern.source}\``),
    answers && `answers ${keys(answers)}`,
    lacks && `does not answer ${keys(lacks)}`,
  ]
    .filter(Boolean)
    .join(" and ");
}

/** @param {Readonly<Record<string, string>>} codes */
const codes = (codes) =>
  Object.entries(codes)
    .map(([code, word]) => `${code} ${word}`)
    .join(" · ") || "–";
/** @param {readonly (readonly [string, string])[]} commands */
const forms = (commands) => commands.map(([code, form]) => `\`${code}\` ${form}`).join(", ") || "–";

export const pi30Families = () =>
  [
    table(
      ["Family", "Models", "Papers", "Known by"],
      everyFamily.map(({ key, title, papers, rules }) => [
        `\`${key}\``,
        title,
        papers.join(", ") || "none",
        rules.map(ruleText).join("; or ") || "nothing else fits",
      ]),
    ),
    table(
      ["Family", "Charge current", "From the grid", "Charger priority, code", "Output priority, code"],
      everyFamily.map(({ key, chargeCurrent, acChargeCurrent, chargerPriorities, outputPriorities }) => [
        `\`${key}\``,
        forms(chargeCurrent),
        forms(acChargeCurrent),
        codes(chargerPriorities),
        codes(outputPriorities),
      ]),
    ),
    voltageTable(),
  ].join("\n\n");

/** Ranges by rated battery voltage; families with the same sheet together. */
function voltageTable() {
  const names = /** @type {const} */ (["recharge", "redischarge", "cutOff", "charge", "equalization"]);
  /** @param {Allowed | undefined} range */
  const text = (range) => (range === undefined ? "–" : describeAllowed(range));
  /** @param {Family["voltages"]} sheet */
  const rows = (sheet) =>
    /** @type {const} */ ([12, 24, 48]).map((battery) => [`${battery} V`, ...names.map((name) => text(sheet[name][battery]))]);
  const groups = grouped(({ voltages }) => JSON.stringify(rows(voltages)));
  return table(
    ["Family", "Battery", "Back to grid", "Back to battery", "Cut-off", "Bulk, float", "Equalization"],
    [
      ...groups.flatMap(([sheet, of]) => JSON.parse(sheet).map((/** @type {string[]} */ row) => [keys(of), ...row])),
      ...rows(widestVoltages).map((row) => ["only with the wide range", ...row]),
    ],
  );
}

export const pi30Settings = () => settings.map(section).join("\n\n");

export const pi30Forbidden = () =>
  table(
    ["Command", "Why it is never sent"],
    forbidden.map(({ commands, why }) => [commands, `It ${why}.`]),
  );

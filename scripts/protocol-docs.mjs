/** The reference of a dialect's inquiries, written from their declarations. Works on the build. */
import { findMetric } from "../dist/model/metric.js";
import { exampleOf } from "../dist/protocol/command.js";
import { encodeCommand } from "../dist/protocol/encode.js";
import { hex } from "../dist/protocol/frame.js";
import { pi30 } from "../dist/protocol/pi30/dialect.js";
import { faults } from "../dist/protocol/pi30/faults.js";
import { modelNames } from "../dist/protocol/pi30/models.js";
import { commonWarnings, placedWarnings } from "../dist/protocol/pi30/warning-list.js";

/** @import { Layout, Query, Slot } from "../dist/protocol/command.js" */
/** @import { PlacedWarning, WarningDeclaration } from "../dist/protocol/pi30/warning-list.js" */

const intervals = {
  fast: "fast group",
  medium: "medium group",
  slow: "slow group",
  once: "once per connection",
  onDemand: "only on demand",
};

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|");

/**
 * @param {string} name
 * @param {string} form
 */
function row(name, form) {
  const metric = findMetric(name);
  return [`\`${name}\``, metric?.label ?? "–", metric?.unit ?? "–", form].map(cell).join(" | ");
}

/**
 * One line per meaning of the place; all meanings of one place have its number.
 * @param {Slot} slot
 * @param {number} index
 */
function rows(slot, index) {
  const fields = "name" in slot ? [slot] : slot;
  return fields.map(
    ({ name, codec, absent }) =>
      `| ${index} | ${row(name, absent === undefined ? codec.shape : `${codec.shape}; \`${absent}\` for none`)} |`,
  );
}

/**
 * @param {Layout} layout
 * @param {number} index
 * @param {Layout[]} layouts
 */
function layoutTable({ count: [min, max], where, fields }, index, layouts) {
  const known = fields.length;
  const counts =
    max === Infinity ? `${min} fields or more` : min === max ? `${min} field${min === 1 ? "" : "s"}` : `${min} to ${max} fields`;
  const condition = (where ?? []).map(({ index, matches }) => `, field ${index} matching \`${matches.source}\``).join("");
  const rest = max > known ? ` Fields from ${known} on are kept as they come.` : "";
  // Forms that differ only in what tells them have one table, behind the last of them.
  if (layouts[index + 1]?.fields === fields) return `${counts}${condition}, or`;
  return [
    `${counts}${condition}.${rest}`,
    "",
    "| # | Name | Meaning | Unit | Form |",
    "| --- | --- | --- | --- | --- |",
    ...fields.flatMap(rows),
  ].join("\n");
}

/** @param {Query<unknown>} query */
function section(query) {
  const example = exampleOf(query).command;
  const whole = query.whole && [
    `Not made of fields: ${query.whole.codec.shape}.`,
    "",
    "| Name | Meaning | Unit |",
    "| --- | --- | --- |",
    ...query.whole.names.map((name) => `| ${row(name, "").replace(/ \| $/, "")} |`),
    ...query.whole.optional.map((name) => `| ${row(name, "").replace(/ \| $/, "")}; not in every reply |`),
    ...(query.whole.legend.length === 0 ? [] : ["", ...query.whole.legend.map((line) => `- ${line}`)]),
  ];
  const twins = pi30.filter(({ code, shape }) => code !== query.code && shape === query.shape).map(({ code }) => `\`${code}\``);
  return [
    `## \`${query.code}\`: ${query.title}`,
    "",
    `Asked: ${intervals[query.cadence]}. Request \`${example}\`: \`${hex(encodeCommand(example))}\`. Source: ${query.source}.${argumentNote(query)}`,
    ...(twins.length === 0 ? [] : ["", `Its replies cannot be told by their form from those of ${twins.join(", ")}.`]),
    "",
    // Forms that are told by a text are tried first, but the plain one is what people look for.
    ...(whole ?? [
      query.layouts
        .toSorted((a, b) => (a.where?.length ?? 0) - (b.where?.length ?? 0))
        .map(layoutTable)
        .join("\n\n"),
    ]),
  ].join("\n");
}

const argumentNote = (/** @type {Query<unknown>} */ { argument }) =>
  argument === undefined ? "" : ` \`${argument.placeholder}\` is ${argument.shape}.`;

/** Every inquiry in one line. */
export const pi30Overview = () =>
  [
    "| Command | Asks for | When | Argument |",
    "| --- | --- | --- | --- |",
    ...pi30.map((query) => `| \`${query.code}\` | ${cell(query.title)} | ${intervals[query.cadence]} | ${query.argument?.shape ?? "–"} |`),
  ].join("\n");

const severities = { info: "note", warning: "warning", fault: "fault", faultWithInverterFault: "fault with `inverterFault`, else warning" };

/**
 * @param {WarningDeclaration} warning
 * @param {string} position
 */
function warningRow({ key, title, severity, explanation, advice, differs = {} }, position) {
  const elsewhere = Object.entries(differs).map(
    ([family, other]) => ` On \`${family}\`: ${[other.title, other.severity && severities[other.severity]].filter(Boolean).join(", ")}.`,
  );
  return `| ${position} | \`${key}\` | ${title} | ${severities[severity]} | ${explanation} ${advice}${elsewhere.join("")} |`;
}

/** @param {PlacedWarning} warning */
function placesOf({ at, families }) {
  const places = Object.entries(at).map(([length, position]) => `${position} of ${length}`);
  return families === undefined ? places.join(", ") : `${places.join(", ")} (${families.join(", ")})`;
}

/** What each position of QPIWS means, for people. */
export const pi30Warnings = () =>
  [
    "| Position | Name | Title | Severity | Meaning, and what to do |",
    "| --- | --- | --- | --- | --- |",
    ...commonWarnings.map((warning, position) => warningRow(warning, String(position))),
    ...placedWarnings.map((warning) => warningRow(warning, placesOf(warning))),
  ].join("\n");

/** What each fault code means, for people. */
export const pi30Faults = () =>
  [
    "| Code | Title | Meaning, and what to do | In the papers |",
    "| --- | --- | --- | --- |",
    ...faults.map(
      ({ code, title, explanation, advice, papers }) =>
        `| ${code} | ${title} | ${explanation} ${advice} | ${papers?.join(", ") ?? "all that have it"} |`,
    ),
  ].join("\n");

/** What the numbers of QGMN stand for. */
export const pi30Models = () =>
  ["| Number | Model |", "| --- | --- |", ...Object.entries(modelNames).map(([number, name]) => `| ${number} | ${name} |`)].join("\n");

export const pi30Reference = () => pi30.map((query) => section(query)).join("\n\n");

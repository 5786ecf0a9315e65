/** The reference of a dialect's inquiries, written from their declarations. Works on the build. */
import { findMetric } from "../dist/model/metric.js";
import { exampleOf } from "../dist/protocol/command.js";
import { encodeCommand } from "../dist/protocol/encode.js";
import { hex } from "../dist/protocol/frame.js";
import { pi30 } from "../dist/protocol/pi30/dialect.js";

/** @import { Layout, Query, Slot } from "../dist/protocol/command.js" */

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

/** @param {Layout} layout */
function layoutTable({ count: [min, max], where, fields }) {
  const known = fields.length;
  const counts =
    max === Infinity ? `${min} fields or more` : min === max ? `${min} field${min === 1 ? "" : "s"}` : `${min} to ${max} fields`;
  const condition = (where ?? []).map(({ index, matches }) => `, field ${index} matching \`${matches.source}\``).join("");
  const rest = max > known ? ` Fields from ${known} on are kept as they come.` : "";
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
    ...(query.whole.legend.length === 0 ? [] : ["", ...query.whole.legend.map((line) => `- ${line}`)]),
  ];
  const twins = pi30.filter(({ code, shape }) => code !== query.code && shape === query.shape).map(({ code }) => `\`${code}\``);
  return [
    `## \`${query.code}\`: ${query.title}`,
    "",
    `Asked: ${intervals[query.cadence]}. Request \`${example}\`: \`${hex(encodeCommand(example))}\`. Source: ${query.source}.`,
    ...(twins.length === 0 ? [] : ["", `Its replies cannot be told by their form from those of ${twins.join(", ")}.`]),
    "",
    ...(whole ?? [query.layouts.map(layoutTable).join("\n\n")]),
  ].join("\n");
}

export const pi30Reference = () => pi30.map((query) => section(query)).join("\n\n");

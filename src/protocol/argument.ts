/** What stands behind the code of a command: a unit number or a date. Named by the letters that hold its place. */
export interface Argument {
  /** As it is printed in the code, e.g. `yyyymm`. */
  readonly placeholder: string;
  /** For people. */
  readonly shape: string;
  /** One that may be asked, for tests and documentation; of unit numbers the first. */
  readonly example: string;
  accepts(text: string): boolean;
}

/** The counters of a unit begin after 1999, and no date of the protocol has another century. */
const year = /^20\d{2}$/;

function isDate(text: string): boolean {
  const month = Number(text.slice(4, 6));
  const days = new Date(Date.UTC(Number(text.slice(0, 4)), month, 0)).getUTCDate();
  return year.test(text.slice(0, 4)) && month >= 1 && month <= 12 && Number(text.slice(6)) >= 1 && Number(text.slice(6)) <= days;
}

const list: readonly Argument[] = [
  { placeholder: "n", shape: "a unit number 0 to 9", example: "0", accepts: (text) => /^\d$/.test(text) },
  { placeholder: "yyyy", shape: "a year 2000 to 2099", example: "2024", accepts: (text) => year.test(text) },
  {
    placeholder: "yyyymm",
    shape: "a month 200001 to 209912",
    example: "202410",
    accepts: (text) => /^\d{6}$/.test(text) && isDate(`${text}01`),
  },
  {
    placeholder: "yyyymmdd",
    shape: "a date 20000101 to 20991231",
    example: "20241022",
    accepts: (text) => /^\d{8}$/.test(text) && isDate(text),
  },
];

/** Splits a code as printed: `QPGSn` is `QPGS` and a unit number. Throws TypeError for a placeholder that is not declared. */
export function splitCode(code: string): { readonly stem: string; readonly argument: Argument | undefined } {
  const placeholder = /[a-z]*$/.exec(code)?.[0] ?? "";
  const stem = code.slice(0, code.length - placeholder.length);
  if (placeholder === "") return { stem, argument: undefined };
  const argument = list.find((each) => each.placeholder === placeholder);
  if (!argument) throw new TypeError(`${code}: expected one of ${list.map((each) => each.placeholder).join(", ")}, got ${placeholder}`);
  return { stem, argument };
}

import { ConfigError } from "../model/errors.ts";

const longestBytes = 65_535;

/** Refuses what no broker takes as a subscription. */
export function checkTopicFilter(filter: string): void {
  const refuse = (expected: string): never => {
    throw new ConfigError(`Expected ${expected}, got ${JSON.stringify(filter)}`);
  };
  if (filter === "") refuse("a topic such as power/axpert or power/#");
  if (filter.includes("\0") || Buffer.byteLength(filter) > longestBytes) refuse("a topic of at most 65,535 bytes without a zero byte");
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    if (level.includes("#") && (level !== "#" || index < levels.length - 1)) refuse("# alone and at the end of a topic, as in power/#");
    if (level.includes("+") && level !== "+") refuse("+ alone between slashes of a topic, as in power/+/state");
  }
}

/** Without those that another one contains: a broker may send a message once for each subscription that it fits. */
export function withoutCovered(filters: readonly string[]): string[] {
  const unique = [...new Set(filters)];
  return unique.filter((filter) => !unique.some((other) => other !== filter && covers(other, filter)));
}

/** Whether every topic that fits `inner` fits `outer`. */
function covers(outer: string, inner: string): boolean {
  // A wildcard at the start leaves out topics such as $SYS.
  if (inner.startsWith("$") && /^[+#]/.test(outer)) return false;
  const wanted = outer.split("/");
  const given = inner.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return true;
    const other = given[index];
    if (other === undefined || other === "#" || (level !== "+" && level !== other)) return false;
  }
  return wanted.length === given.length;
}

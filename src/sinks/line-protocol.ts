export type FieldValue = number | string | boolean;

/**
 * One point in InfluxDB's line protocol, without its line feed; absent when there is no field to write. `at`: epoch ms.
 *
 * A field must never change its type, or the database refuses its points. So every number is written as a float, also a
 * whole one, and a list is text.
 */
export function pointLine(
  measurement: string,
  tags: Readonly<Record<string, string>>,
  fields: readonly (readonly [name: string, value: FieldValue])[],
  at: number,
): string | undefined {
  const written: string[] = [];
  for (const [name, value] of fields) {
    const text = fieldText(value);
    if (text !== undefined && name !== "") written.push(`${keyText(name)}=${text}`);
  }
  if (written.length === 0) return undefined;
  let head = measurementText(measurement);
  for (const [name, value] of Object.entries(tags)) if (value !== "") head += `,${keyText(name)}=${keyText(value)}`;
  return `${head} ${written.join(",")} ${at}`;
}

function fieldText(value: FieldValue): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === "boolean") return String(value);
  return `"${oneLine(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function measurementText(text: string): string {
  return plain(text).replaceAll(/[, ]/g, String.raw`\$&`);
}

function keyText(text: string): string {
  return plain(text).replaceAll(/[,= ]/g, String.raw`\$&`);
}

/** Outside quotes a backslash has no escape of its own: before a comma or at the end it would take the next part with it. */
function plain(text: string): string {
  return oneLine(text).replaceAll("\\", "/");
}

/** A line feed within a string is allowed by some of the databases only. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}

export type Labels = Readonly<Record<string, string | undefined>>;

interface Family {
  readonly help: string;
  readonly type: "gauge" | "counter";
  /** By labels, so that no series stands there twice. */
  readonly samples: Map<string, number>;
}

/**
 * Collects samples and writes them in the text format 0.0.4 of Prometheus. Made anew for each answer: what nobody gives is
 * not in it. Samples carry no time of their own: with one, Prometheus would go on showing a series that has ended.
 */
export class PrometheusText {
  readonly #families = new Map<string, Family>();

  /** A label that is absent or empty is left out. */
  add(type: Family["type"], name: string, help: string, labels: Labels, value: number): void {
    let family = this.#families.get(name);
    if (family === undefined) this.#families.set(name, (family = { help, type, samples: new Map() }));
    family.samples.set(labelsText(labels), value);
  }

  gauge(name: string, help: string, labels: Labels, value: number): void {
    this.add("gauge", name, help, labels, value);
  }

  counter(name: string, help: string, labels: Labels, value: number): void {
    this.add("counter", name, help, labels, value);
  }

  toString(): string {
    let text = "";
    for (const [name, { help, type, samples }] of this.#families) {
      text += `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;
      for (const [labels, value] of samples) text += `${name}${labels} ${numberText(value)}\n`;
    }
    return text;
  }
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

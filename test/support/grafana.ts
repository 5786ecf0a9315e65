import { readFileSync } from "node:fs";

export interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly targets?: readonly { readonly expr?: string; readonly query?: string }[];
  }[];
}

/** A dashboard as it is delivered. */
export function dashboard(name: string): Dashboard {
  return JSON.parse(readFileSync(new URL(`../../share/grafana/${name}.json`, import.meta.url), "utf8")) as Dashboard;
}

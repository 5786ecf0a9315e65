interface FormatInfo {
  /** The first is the usual one. */
  readonly endings: readonly string[];
  readonly contentType: string;
}

/** The forms in which history is exported. */
export const exportFormats = {
  csv: { endings: ["csv"], contentType: "text/csv; charset=utf-8" },
  jsonl: { endings: ["jsonl", "ndjson"], contentType: "application/x-ndjson" },
  parquet: { endings: ["parquet"], contentType: "application/vnd.apache.parquet" },
} as const satisfies Record<string, FormatInfo>;
export type ExportFormat = keyof typeof exportFormats;
export const exportFormatNames = Object.keys(exportFormats) as ExportFormat[];

/** The format that a file's ending stands for; absent for another one. */
export function formatOfFile(file: string): ExportFormat | undefined {
  const ending = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase() ?? "";
  return exportFormatNames.find((name) => (exportFormats[name].endings as readonly string[]).includes(ending));
}

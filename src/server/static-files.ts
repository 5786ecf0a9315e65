import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};
const compressible = new Set([".html", ".js", ".css", ".svg", ".json", ".webmanifest"]);
type Encoding = "br" | "gzip";

interface StaticFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
  readonly compressible: boolean;
  readonly compressed: Map<Encoding, Promise<Buffer>>;
}

/**
 * The files of the page, held in memory: they are few and small, a name that is not in the table cannot be reached by any
 * spelling of a path, and an upgrade under the running program does not mix old and new files.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  private constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files;
  }

  /** Reads every file under `root`; no files at all when the folder does not exist. */
  static async load(root: string): Promise<StaticFiles> {
    const files = new Map<string, StaticFile>();
    for (const path of await filesUnder(root)) {
      const name = `/${relative(root, path).split(sep).join("/")}`;
      const body = await readFile(path);
      const extension = extname(path);
      const file: StaticFile = {
        body,
        type: types[extension] ?? "application/octet-stream",
        etag: createHash("sha256").update(body).digest("base64url").slice(0, 22),
        // The names under assets/ carry a hash of their content, so what they name never changes.
        cacheControl: name.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
        compressible: compressible.has(extension),
        compressed: new Map(),
      };
      files.set(name, file);
      if (name === "/index.html") files.set("/", file);
    }
    return new StaticFiles(files);
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** The answer for a path, or undefined when there is no such file. */
  async respond(path: string, headers: Headers): Promise<Response | undefined> {
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const encoding = file.compressible ? chooseEncoding(headers.get("accept-encoding") ?? "") : undefined;
    const etag = `"${file.etag}${encoding === undefined ? "" : `-${encoding}`}"`;
    const common = { "cache-control": file.cacheControl, etag, vary: "Accept-Encoding" };
    if ((headers.get("if-none-match") ?? "").split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
      return new Response(null, { status: 304, headers: common });
    }
    const body = encoding === undefined ? file.body : await compress(file, encoding);
    return new Response(new Uint8Array(body), {
      headers: {
        ...common,
        "content-type": file.type,
        "content-length": String(body.length),
        ...(encoding && { "content-encoding": encoding }),
      },
    });
  }
}

async function filesUnder(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function chooseEncoding(accepted: string): Encoding | undefined {
  const names = accepted.split(",").flatMap((part) => (/;\s*q=0(\.0*)?\s*$/.test(part) ? [] : [part.split(";")[0]?.trim().toLowerCase()]));
  if (names.includes("br")) return "br";
  return names.includes("gzip") ? "gzip" : undefined;
}

async function compress(file: StaticFile, encoding: Encoding): Promise<Buffer> {
  let result = file.compressed.get(encoding);
  if (result === undefined) {
    result =
      encoding === "gzip"
        ? promisify(gzip)(file.body)
        : promisify(brotliCompress)(file.body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
    file.compressed.set(encoding, result);
  }
  return result;
}

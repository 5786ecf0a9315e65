/**
 * The walls between the folders. Each rule's comment says what the wall is for. The compiler keeps a second set of them
 * (project references), and test/checks/walls.test.ts proves with planted violations that these here bite.
 *
 * Unit tests lie beside the code and may use anything; nothing may use them.
 */

/** What each folder may import besides itself; src/index.ts has a line of its own. Anything not listed is forbidden. */
const allowed = {
  model: { folders: [], why: "The shared words stand on nothing, so that everything can stand on them." },
  protocol: { folders: ["model"], why: "Bytes to meaning is pure: it runs in a browser, knows no line and no clock." },
  session: {
    folders: ["protocol", "model"],
    why: "A live line needs the protocol and a transport passed in, never a medium or an output.",
  },
  sim: {
    folders: ["session", "protocol", "model"],
    why: "The simulated inverter is a transport plus physics, independent of the program around it.",
  },
  transport: { folders: ["session/transport.ts", "model"], why: "A medium carries bytes: it knows the seam and not one command." },
  api: { folders: ["model"], why: "The shapes on the wire are shared by server and page." },
  energy: { folders: ["model"], why: "Accounting is pure: numbers in, numbers out, wherever they are kept or shown." },
  store: { folders: ["model"], why: "History stores readings, wherever they come from." },
  sinks: { folders: ["model", "api"], why: "An output gets readings by plain calls; it must not reach into the line that it could delay." },
  server: { folders: ["model", "api", "store"], why: "The server shows readings and history; it never talks to an inverter itself." },
  fleet: { folders: ["model", "api", "store"], why: "Many sites are readings from elsewhere." },
  app: {
    folders: ["model", "protocol", "session", "sim", "transport", "api", "energy", "store", "sinks", "server", "fleet"],
    why: "All wiring is here, and only the command line may depend on it.",
  },
  cli: { folders: ["app", "sim", "protocol", "model"], why: "Subcommands parse arguments and print; the work is done below." },
};

/** @param {string[]} folders */
const within = (folders) => folders.map((folder) => (folder.endsWith(".ts") ? `^src/${folder.replace(".", "[.]")}$` : `^src/${folder}/`));

const notTests = "[.]test[.]tsx?$";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(allowed).map(([folder, { folders, why }]) => ({
      name: `${folder}-imports-only-what-it-may`,
      comment: `${why} Allowed: ${folders.join(", ") || "nothing"}.`,
      severity: /** @type {const} */ ("error"),
      from: { path: `^src/${folder}/`, pathNot: notTests },
      to: { path: "^(src|web|test|scripts|bench)/", pathNot: within([folder, ...folders]) },
    })),
    {
      name: "entry-is-model-and-protocol",
      comment: "src/index.ts is what browsers import: the pure folders alone.",
      severity: "error",
      from: { path: "^src/index[.]ts$" },
      to: { pathNot: within(["model", "protocol"]) },
    },
    {
      name: "nothing-imports-the-entry",
      comment: "The entry is for users of the package; inside, each file names the file it needs.",
      severity: "error",
      from: { path: "^(src|web)/", pathNot: notTests },
      to: { path: "^src/index[.]ts$" },
    },
    {
      name: "no-folder-outside-the-table",
      comment: "A new folder of src gets its line in the table above first.",
      severity: "error",
      from: { path: "^(src|web)/", pathNot: notTests },
      to: { path: "^src/", pathNot: [...within(Object.keys(allowed)), "^src/index[.]ts$"] },
    },
    {
      name: "web-imports-only-what-it-may",
      comment: "The page knows the shared words and the wire shapes, nothing of the program that serves it.",
      severity: "error",
      from: { path: "^web/", pathNot: [notTests, "^web/vite[.]config[.]ts$"] },
      to: { path: "^(src|test|scripts|bench)/", pathNot: within(["model", "api"]) },
    },
    {
      name: "web-takes-only-types-of-the-api",
      comment: "The checking library of the API shapes must not reach the page's bundle.",
      severity: "error",
      from: { path: "^web/", pathNot: notTests },
      to: { path: "^src/api/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "pure-code-stands-alone",
      comment: "model, protocol, session and sim run anywhere: no package, nothing of Node.",
      severity: "error",
      from: { path: "^src/(model|protocol|energy|session|sim)/", pathNot: notTests },
      to: { pathNot: "^(src|web|test|scripts|bench)/" },
    },
    {
      name: "api-needs-only-zod",
      comment: "The wire shapes are shared with the page: nothing of Node, and no package but the one that declares them.",
      severity: "error",
      from: { path: "^src/api/", pathNot: notTests },
      to: { pathNot: ["^src/", "^node_modules/zod/"] },
    },
    {
      name: "no-barrel",
      comment: "A file that hands on another file's exports hides who needs what, and ties cycles. src/index.ts is the only one.",
      severity: "error",
      from: { path: "^(src|web)/", pathNot: "^src/index[.]ts$" },
      to: { dependencyTypes: ["export"] },
    },
    {
      name: "no-index-file",
      comment: "Files are named after what they hold; only the package's entry is called index.",
      severity: "error",
      from: {},
      to: { path: "^(src|web)/(index|.*/index)[.]tsx?$", pathNot: "^src/index[.]ts$" },
    },
    {
      name: "no-cycle",
      comment: "Files that need each other are one file, or miss a third one.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-orphan",
      comment: "Code that nothing reaches is deleted.",
      severity: "error",
      from: { orphan: true, pathNot: [notTests, "[.]d[.]ts$", "^web/vite[.]config[.]ts$"] },
      to: {},
    },
    {
      name: "no-test-in-the-program",
      comment: "What ships must not need a test or its helpers.",
      severity: "error",
      from: { path: "^(src|web)/", pathNot: notTests },
      to: { path: [notTests, "^(test|bench|scripts)/"] },
    },
    {
      name: "no-development-package-in-the-program",
      comment: "Development dependencies are not there when the package is installed. (The page is bundled, so it may.)",
      severity: "error",
      from: { path: "^src/", pathNot: notTests },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-undeclared-package",
      comment: "A package that package.json does not name is there by luck.",
      severity: "error",
      from: { path: "^(src|web)/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-unresolvable",
      comment: "The import leads nowhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Types count too: a wall that only types cross is still crossed.
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|coverage)/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};

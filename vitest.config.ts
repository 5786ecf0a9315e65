import { defineConfig } from "vitest/config";

export default defineConfig({
  // Node 20 cannot parse `await using`; ES2022 is what tsc emits too.
  oxc: { target: "es2022" },
  test: {
    include: ["src/**/*.test.ts", "web/src/**/*.test.{ts,tsx}", "test/**/*.test.ts"],
    // Many tests wait for a line or a process most of the time: one worker fewer than there are cores would leave them idle.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

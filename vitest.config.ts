import { defineConfig } from "vitest/config";

export default defineConfig({
  // Node 20 cannot parse `await using`; ES2022 is what tsc emits too.
  oxc: { target: "es2022" },
  test: {
    include: ["src/**/*.test.ts", "web/src/**/*.test.{ts,tsx}", "test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

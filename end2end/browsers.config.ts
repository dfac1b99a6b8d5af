import type { PlaywrightTestConfig } from "@playwright/test";
import type { Choice } from "./browsers/fixtures";
import shared from "./playwright.config";

// The main paths in browsers that Playwright does not drive: `make test-browsers`.
export default {
  testDir: "./browsers",
  outputDir: "../target/end2end/browsers",
  // Each browser has a worker, and each worker a server and a browser of its own.
  workers: 2,
  forbidOnly: shared.forbidOnly,
  timeout: 60_000,
  reporter: [["list"]],
  expect: { timeout: 10_000 },
  projects: [
    { name: "Firefox", use: { kind: "firefox" } },
    { name: "WebKitGTK", use: { kind: "webkitgtk" } },
  ],
} satisfies PlaywrightTestConfig<object, Choice>;

import type { PlaywrightTestConfig } from "@playwright/test";
import type { Choice } from "./browsers/fixtures";
import shared from "./playwright.config";

// The main paths in browsers that Playwright does not drive: `make test-browsers`.
export default {
  testDir: "./browsers",
  outputDir: "../target/end2end/browsers",
  // One browser after the other, each with a server of its own: WebKit's driver, where it had to share the processor
  // with another browser, sometimes waited without an end for the load of a page that was drawn already.
  workers: 1,
  forbidOnly: shared.forbidOnly,
  timeout: 60_000,
  reporter: [["list"]],
  expect: { timeout: 10_000 },
  projects: [
    { name: "Firefox", use: { kind: "firefox" } },
    { name: "WebKitGTK", use: { kind: "webkitgtk" } },
  ],
} satisfies PlaywrightTestConfig<object, Choice>;

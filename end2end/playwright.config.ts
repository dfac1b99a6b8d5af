import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, devices } from "@playwright/test";

// The machine's own Chromium where there is one, best without the browser's own windows, which cost a fifth of the
// time and which no test sees; otherwise the one that Playwright installed.
const chromium =
  process.env.CHROMIUM ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));

const kinds = [
  { name: "desktop", use: { ...devices["Desktop Chrome"] }, grepInvert: /@mobile|@no-script/ },
  { name: "mobile", use: { ...devices["Pixel 7"] }, grep: /@mobile/ },
  { name: "no-script", use: { ...devices["Desktop Chrome"], javaScriptEnabled: false }, grep: /@no-script/ },
];
const files = readdirSync(join(__dirname, "tests")).filter((file) => file.endsWith(".spec.ts"));

export default defineConfig({
  testDir: "./tests",
  outputDir: "../target/end2end/artifacts",
  snapshotPathTemplate: "{testDir}/__snapshots__/{testFilePath}/{arg}{ext}",
  // Each worker has its own server, so that files can run side by side; the tests of a file run one after another,
  // where it does not say otherwise. There is one worker more than cores, as some tests wait for what takes its time.
  fullyParallel: false,
  workers: 3,
  forbidOnly: !!process.env.CI,
  // A second attempt is traced; what only then passes is named at the end as flaky, and wants mending.
  retries: 1,
  timeout: 60_000,
  reporter: [["list"], ["json", { outputFile: "../target/end2end/results.json" }]],
  expect: {
    timeout: 10_000,
    toHaveScreenshot: { animations: "disabled", caret: "hide", maxDiffPixelRatio: 0.01 },
  },
  use: {
    locale: "en-US",
    timezoneId: "UTC",
    colorScheme: "light",
    contextOptions: { reducedMotion: "reduce" },
    trace: "on-first-retry",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        // Pages of tests live for seconds: optimising their program costs more time than it saves.
        "--js-flags=--liftoff-only",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--font-render-hinting=none",
        "--disable-lcd-text",
        "--force-color-profile=srgb",
      ],
    },
  },
  // A project for each file: its tests begin with a server of their own, whatever others left on theirs.
  projects: kinds.flatMap(({ name, ...kind }) => files.map((file) => ({ ...kind, name: `${name} ${file.replace(".spec.ts", "")}`, testMatch: file }))),
});

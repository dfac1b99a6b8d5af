import config from "./playwright.config";

// Pictures for people: `playwright test --config end2end/screenshots.config.ts` writes
// docs/run.png and target/screenshots. They are looked at, not compared.
export default {
  ...config,
  testDir: ".",
  testMatch: "screenshots.ts",
  workers: 1,
  timeout: 240_000,
  outputDir: "../target/screenshots/artifacts",
  reporter: [["list"]],
  projects: undefined,
} satisfies typeof config;

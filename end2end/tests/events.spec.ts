import { readFile } from "node:fs/promises";
import { expect, test } from "./fixtures";
import { importRun, runFile } from "./run-files";
import { startPipeline, stop } from "./runs";

// The table of events: what it shows, and what can be taken from it.

const rows = ".event-row";

test("the events of an outcome are shown, copied as lines and saved as they stand in the log", async ({ page, context, server }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const run = await importRun(server, runFile("It is so."));
  await page.goto(`/runs/${run}?view=events`);
  await expect(page.locator(rows)).toHaveCount(8);
  await page.getByLabel("Outcome").selectOption("With something missing");
  await expect(page.locator(rows)).toHaveCount(1);
  await expect(page.locator(rows)).toContainText("call finished");
  await page.getByLabel("Outcome").selectOption("Failed");
  await expect(page.locator(rows)).toHaveCount(1);
  await expect(page.locator(rows)).toContainText("It was made by a test.");
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^8 \d\d:\d\d:\d\d run finished: Failed: It was made by a test\.$/);

  await page.getByLabel("Outcome").selectOption("Any outcome");
  await expect(page.locator(rows)).toHaveCount(8);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const file = await (await download).path();
  const saved = (await readFile(file, "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line));
  expect(saved.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(saved[6].body.kind).toBe("node_finished");
});

test("a table that is held shows nothing newer until it goes on", async ({ page, server }) => {
  const { run } = await startPipeline(server, "MSFT", "2022-06-30", { charactersPerSecond: 400 });
  await page.goto(`/runs/${run}?view=events`);
  await expect(page.locator(rows).first()).toBeVisible();
  await page.getByRole("button", { name: "Pause" }).click();
  const newest = page.locator(rows).last();
  const held = await newest.textContent();
  const goOn = page.getByRole("button", { name: /^Go on, [1-9]\d* newer$/ });
  await expect(goOn).toBeVisible();
  expect(await newest.textContent()).toBe(held);
  await goOn.click();
  await expect(newest).not.toHaveText(held ?? "");
  await stop(server, run);
  await expect(newest).toContainText("Stopped");
  await expect(page.getByRole("button", { name: "Pause" })).toHaveCount(0);
});

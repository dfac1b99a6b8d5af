import { expect, test } from "./fixtures";
import { pill, transcript, viewTab } from "./run-page";
import { startPipeline, stop } from "./runs";

test.use({ variables: { PITWALL_CONCURRENT_RUNS: "1" } });

test("queued runs show their places on their pages and on the overview, and can be stopped", async ({ page, newTab, server }) => {
  const slow = { charactersPerSecond: 60 };
  const first = await startPipeline(server, "MSFT", "2022-06-30", slow);
  const second = await startPipeline(server, "AAPL", "2022-06-30", slow);
  const third = await startPipeline(server, "KO", "2022-06-30", slow);
  await page.goto(`/runs/${third.run}`);
  await expect(pill(page)).toHaveText("Queued");
  await expect(page.getByText("place 2 in the queue")).toBeVisible();
  const overview = await newTab();
  await overview.goto("/");
  const cards = overview.getByRole("region", { name: "Running now" }).getByRole("listitem");
  await expect(cards.filter({ hasText: "AAPL" })).toContainText("next in the queue");
  await expect(cards.filter({ hasText: "KO" })).toContainText("place 2 in the queue");

  await stop(server, second.run);
  await expect(page.getByText("next in the queue")).toBeVisible();
  await expect(cards.filter({ hasText: "KO" })).toContainText("next in the queue");

  // One that has not begun is stopped as well.
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("dialog", { name: "Stop this run?" }).getByLabel(/^Reason/).fill("not needed");
  await page.getByRole("dialog", { name: "Stop this run?" }).getByRole("button", { name: "Stop the run" }).click();
  await expect(pill(page)).toHaveText("Stopped");
  await expect(page.getByText("in the queue")).toHaveCount(0);
  await viewTab(page, "Transcript").click();
  await expect(transcript(page)).toContainText("Stopped by you: not needed");
  await stop(server, first.run);
});

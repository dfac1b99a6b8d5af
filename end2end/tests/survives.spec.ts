import { expect, test } from "./fixtures";
import { completeTurns, eventNumbers, expectStillSaid, expectTurns, fact, pill, viewTab } from "./run-page";
import { runView, startPipeline } from "./runs";

test("a page outlives the server's death: it reconnects by itself and the run goes on to its end", async ({ page, server, problems }) => {
  // What a browser says of a server that is gone.
  problems.tolerate(/WebSocket connection to .* failed/);
  problems.tolerate(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED/);

  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 500 });
  await page.goto(`/runs/${run}?view=transcript`);
  await page.evaluate(() => document.body.setAttribute("data-since-before", "true"));
  await expect(pill(page)).toHaveText("Running: Debate", { timeout: 20_000 });
  await expect(fact(page, "Connection")).toHaveText("Live");
  const saidBefore = await completeTurns(page);

  await server.kill();
  await expect(fact(page, "Connection")).toHaveText(/Reconnecting|Offline/);
  // What was shown stays.
  await expectStillSaid(page, saidBefore);

  await server.start();
  await expect(fact(page, "Connection")).toHaveText("Live", { timeout: 20_000 });
  await expect(pill(page)).toHaveText("Done", { timeout: 40_000 });
  await expect(fact(page, "Connection")).toHaveText("Complete");
  await expect(page.locator("body")).toHaveAttribute("data-since-before", "true");

  const { summary, turns } = await runView(server, run);
  expect(summary.status).toBe("succeeded");
  await expectTurns(page, turns.length);
  await expectStillSaid(page, saidBefore);
  const tokens = summary.totals.tokens_in + summary.totals.tokens_out;
  await expect(fact(page, "Tokens")).toHaveText(tokens.toLocaleString("en-US"));

  // The page has every event from the first to the last: no gap, none twice.
  await expect(viewTab(page, "Events")).toContainText(String(summary.seq));
  await viewTab(page, "Events").click();
  await expect(page.getByText(`${summary.seq} events`, { exact: true })).toBeVisible();
  const numbers = await eventNumbers(page, summary.seq);
  expect(numbers).toEqual(Array.from({ length: summary.seq }, (_, index) => index + 1));
});

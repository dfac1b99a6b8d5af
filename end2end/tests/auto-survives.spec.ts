import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Locator, Page } from "@playwright/test";
import { exact, grouped, percent, share } from "./decimals";
import { expect, test } from "./fixtures";
import { fact, pill } from "./run-page";
import { succeeded } from "./runs";

// What an automatic run comes to by a calculation in another language: server/tests/independent.

const independent = resolve(__dirname, "../../server/tests/independent");

/** The rows of a table below its header, cell by cell. */
function rows(table: string): string[][] {
  const lines = readFileSync(resolve(independent, table), "utf8").trim().split("\n");
  return lines.slice(1).map((line) => line.split(","));
}

const figure = (page: Page, list: string, name: string): Locator =>
  page
    .locator(`${list} > div`)
    .filter({ has: page.getByText(name, { exact: true }) })
    .getByRole("definition");

// Slow enough for a page to be killed under in the middle of the scan or of the analyses.
test.use({ variables: { PITWALL_REHEARSAL_SPEED: "6000" } });

test("an automatic run started in the page survives two kills of the server, and the portfolio's page shows what was calculated independently", async ({ page, server, problems }) => {
  test.setTimeout(180_000);
  // What a browser says of a server that is gone.
  problems.tolerate(/WebSocket connection to .* failed/);
  problems.tolerate(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE/);

  // The first of the two days: what it buys is held on the second.
  const workflow = { type: "auto", portfolio: "main_portfolio", date: "2022-06-30", max_tickers: 3 };
  const accepted = await server.fetch("/api/v1/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ workflow }),
  });
  expect(accepted.status).toBe(201);
  await succeeded(server, ((await accepted.json()) as { run: string }).run);

  await page.goto("/start?type=auto&portfolio=main_portfolio&date=2022-12-28&max_tickers=3");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Auto · main_portfolio · 2022-12-28");
  await page.evaluate(() => document.body.setAttribute("data-since-before", "true"));
  for (const phase of [/^Running: (Scan|Analyses)$/, /^Running: Analyses$/]) {
    await expect(pill(page)).toHaveText(phase, { timeout: 30_000 });
    await server.kill();
    await expect(fact(page, "Connection")).toHaveText(/Reconnecting|Offline/);
    await server.start();
    await expect(fact(page, "Connection")).toHaveText(/Live|Complete/, { timeout: 20_000 });
  }
  await expect(pill(page)).toHaveText("Done", { timeout: 90_000 });
  await expect(page.locator("body"), "the page went on by itself").toHaveAttribute("data-since-before", "true");

  await page.goto("/portfolios/main_portfolio");
  await expect(page.getByText("as of 28 Dec 2022")).toBeVisible();
  // The page has the newest first, the table the oldest.
  const trades = page.getByRole("region", { name: "Trades" }).getByRole("listitem");
  const expected = rows("trades.csv").reverse();
  await expect(trades).toHaveCount(expected.length);
  for (const [place, [day = "", side = "", ticker = "", quantity = "", price = "", stop = "", profit = ""]] of expected.entries()) {
    const trade = trades.nth(place);
    const dollars = (amount: string) => grouped(exact(amount), 2);
    await expect(trade).toContainText(new RegExp(side, "i"));
    await expect(trade.locator("strong").first()).toHaveText(ticker);
    await expect(trade).toContainText(`${quantity} @ ${dollars(price)}`);
    await expect(trade.locator("time")).toHaveAttribute("datetime", day);
    await trade.locator("summary").click();
    await expect(trade.getByRole("definition").filter({ hasText: `$${dollars(stop)}` })).toBeVisible();
    await expect(trade.getByRole("definition").filter({ hasText: `$${dollars(profit)}` })).toBeVisible();
  }

  const table = Object.fromEntries(rows("figures.csv")) as Record<string, string>;
  const value = (name: string) => exact(table[name] ?? "");
  const head = (name: string) => figure(page, ".portfolio-figures", name);
  await expect(head("Total value")).toHaveText(`$${grouped(value("total"), 2)}`);
  const part = percent(share(value("cash"), value("total")), 1);
  await expect(head("Cash")).toHaveText(`$${grouped(value("cash"), 2)} · ${part}`);
  await expect(head("Sharpe ratio")).toHaveText(grouped(value("sharpe"), 2));
  await expect(head("Sortino ratio")).toHaveText(grouped(value("sortino"), 2));
  await expect(head("Max drawdown")).toHaveText(percent(value("max_drawdown"), 1));
  await expect(head("Beta")).toHaveText(grouped(value("beta"), 2));
  await expect(figure(page, ".risk-figures", "VaR 95 %, a day")).toContainText(percent(value("value_at_risk"), 1));
  const days = page.locator(`.portfolio-figures > div[title="Computed from ${table["days"]} daily returns"]`);
  await expect(days.filter({ hasText: "Sortino ratio" })).toHaveCount(1);
});

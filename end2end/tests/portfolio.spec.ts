import type { Locator, Page } from "@playwright/test";
import { type Exact, exact, grouped, percent, share } from "./decimals";
import { expect, test } from "./fixtures";
import { card, pill } from "./run-page";
import { finishedPipeline, startPortfolioRun, succeeded } from "./runs";
import { close } from "./samples";

const figure = (page: Page, name: string): Locator =>
  page
    .locator(".portfolio-figures > div")
    .filter({ has: page.getByText(name, { exact: true }) })
    .getByRole("definition");

const holding = (page: Page, ticker: string): Locator =>
  page.getByRole("table", { name: /^Holdings/ }).getByRole("row").filter({ hasText: ticker });

/** Quantity, average cost, price, market value, unrealised profit and weight of a holding. */
async function values(row: Locator): Promise<string[]> {
  const texts = await row.getByRole("cell").allInnerTexts();
  return texts.slice(1).map((text) => text.trim());
}

const dollars = (amount: Exact) => `$${grouped(amount, 2)}`;

/** `+$12.30 · +1.2 %`: an amount with its sign, and what part of the cost it is. */
function gain(amount: Exact, cost: Exact, currency: string): string {
  const sign = (text: string) => (amount > 0n ? `+${text}` : text);
  const size = `${amount < 0n ? "\u2212" : ""}${currency}${grouped(amount < 0n ? -amount : amount, 2)}`;
  return `${sign(size)} · ${sign(percent(share(amount, cost), 1))}`;
}

// The second test goes on where the first ends.
test.describe.configure({ mode: "serial" });

test("a portfolio run trades on its flow's ratings, and a page opened before shows it live", async ({ page, newTab, server }) => {
  const { flow } = await finishedPipeline(server, "LLY", "2022-06-30");
  await finishedPipeline(server, "MRK", "2022-06-30", flow);

  const portfolio = await newTab();
  await portfolio.goto("/portfolios/main_portfolio");
  await expect(figure(portfolio, "Cash")).toHaveText("$100,000.00 · 100.0 %");
  await expect(portfolio.getByText("Nothing is held")).toBeVisible();
  await portfolio.evaluate(() => document.body.setAttribute("data-since-before", "true"));

  await page.goto(`/start?type=portfolio&portfolio=main_portfolio&flow=${flow}`);
  const form = page.getByRole("form", { name: "Start a run" });
  await expect(form.getByText("The portfolio manager reads 2 analyses of this flow.")).toBeVisible();
  await form.getByLabel("As of").fill("2022-06-30");
  await form.getByRole("radio", { name: "Normal" }).check();
  await form.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\//);

  // While the run works, the open page says what it does.
  await expect(portfolio.getByRole("heading", { name: "Orders of this decision" })).toBeVisible();
  await expect(portfolio.getByRole("link", { name: /^(Running|Trading)/ })).toBeVisible();
  await expect(portfolio.getByRole("heading", { name: "Orders of the last decision" })).toBeVisible({ timeout: 30_000 });

  // LLY and MRK are rated Buy with high conviction: 10 % each, half of it in risk-off, is $5,000.
  // In whole shares: 5000 / 320.403 = 15.6 → 15 of LLY; 5000 / 88.633 = 56.4 → 56 of MRK.
  const lly = 15n * exact("320.403");
  const mrk = 56n * exact("88.633");
  expect([lly, mrk]).toEqual([exact("4806.045"), exact("4963.448")]);
  const cash = exact("100000") - lly - mrk;
  expect(cash).toBe(exact("90230.507"));
  // At the day's own prices nothing is won or lost.
  const total = cash + lly + mrk;
  expect(total).toBe(exact("100000"));

  await expect(figure(portfolio, "Total value")).toHaveText(dollars(total));
  await expect(figure(portfolio, "Cash")).toHaveText("$90,230.51 · 90.2 %");
  await expect(figure(portfolio, "Unrealised P&L")).toHaveText("$0.00 · 0.0 %");
  await expect(figure(portfolio, "Realised P&L")).toHaveText("$0.00");
  // 4806.045 / 100000 = 4.8 %, 4963.448 / 100000 = 5.0 %.
  await expect(holding(portfolio, "LLY")).toBeVisible();
  expect(await values(holding(portfolio, "LLY"))).toEqual(["15", "320.40", "320.40", "4,806.05", "0.00 · 0.0 %", "4.8 %"]);
  expect(await values(holding(portfolio, "MRK"))).toEqual(["56", "88.63", "88.63", "4,963.45", "0.00 · 0.0 %", "5.0 %"]);
  await expect(portfolio.getByText("2 of 15 positions · largest 5.0 % of 15 %")).toBeVisible();
  // Both are in healthcare: 9769.493 / 100000 = 9.8 %.
  const allocation = portfolio.getByRole("region", { name: "Allocation" });
  await expect(allocation.getByRole("listitem").filter({ hasText: "Healthcare" })).toContainText("9.8 %");
  await expect(allocation.getByRole("listitem").filter({ hasText: "Cash" })).toContainText("90.2 %");

  const orders = portfolio.getByRole("region", { name: "Orders" }).getByRole("listitem");
  await expect(orders).toHaveCount(2);
  await expect(orders.filter({ hasText: "LLY" })).toHaveText(/BUY.*LLY.*15.*@ 320\.40.*filled/i);
  await expect(orders.filter({ hasText: "MRK" })).toHaveText(/BUY.*MRK.*56.*@ 88\.63.*filled/i);
  const trades = portfolio.getByRole("region", { name: "Trades" }).getByRole("listitem");
  await expect(trades).toHaveCount(2);
  await expect(trades.filter({ hasText: "LLY" })).toContainText("15 @ 320.40");
  await expect(trades.filter({ hasText: "MRK" })).toContainText("56 @ 88.63");
  // All of this came to the page that was open, without a reload.
  await expect(portfolio.locator("body")).toHaveAttribute("data-since-before", "true");

  // The same stands in the run itself, and in a page that is loaded now.
  await expect(pill(page)).toHaveText("Done");
  await expect(card(page, "Make decision")).toContainText("0 sells, 2 buys");
  const live = await portfolio.locator("#main").innerText();
  await portfolio.reload();
  await expect(portfolio.locator("#main")).toHaveText(live.replace(/\s+/g, " "), { useInnerText: true });
});

test("a later decision values the holdings at its own day's prices", async ({ page, server }) => {
  await page.goto("/portfolios/main_portfolio");
  await expect(holding(page, "LLY")).toBeVisible();
  // A flow without ratings buys nothing, and nothing that is held has broken its trend.
  const { run } = await startPortfolioRun(server, "2022-07-29");
  await succeeded(server, run);

  const [llyClose, mrkClose] = [close("LLY", "2022-07-29"), close("MRK", "2022-07-29")];
  expect([llyClose, mrkClose]).toEqual(["325.799", "86.854"]);
  const lly = 15n * exact(llyClose);
  const mrk = 56n * exact(mrkClose);
  // 15 × (325.799 − 320.403) = 80.94 and 56 × (86.854 − 88.633) = −99.624.
  const llyGain = 15n * (exact(llyClose) - exact("320.403"));
  const mrkGain = 56n * (exact(mrkClose) - exact("88.633"));
  expect([llyGain, mrkGain]).toEqual([exact("80.94"), exact("-99.624")]);
  const [llyCost, mrkCost] = [exact("4806.045"), exact("4963.448")];
  const total = exact("90230.507") + lly + mrk;
  expect(total).toBe(exact("99981.316"));

  await expect(figure(page, "Total value")).toHaveText(dollars(total));
  await expect(figure(page, "Unrealised P&L")).toHaveText(gain(llyGain + mrkGain, llyCost + mrkCost, "$"));
  await expect(page.getByText("as of 29 Jul 2022")).toBeVisible();
  expect(await values(holding(page, "LLY"))).toEqual([
    "15", "320.40", "325.80", grouped(lly, 2), gain(llyGain, llyCost, ""), percent(share(lly, total), 1),
  ]);
  expect(await values(holding(page, "MRK"))).toEqual([
    "56", "88.63", "86.85", grouped(mrk, 2), gain(mrkGain, mrkCost, ""), percent(share(mrk, total), 1),
  ]);
  // The trades are still those of June.
  await expect(page.getByRole("region", { name: "Trades" }).getByRole("listitem")).toHaveCount(2);
});

test("a portfolio begins with what a CSV file says, after its lines were looked at", async ({ page }) => {
  const file = (text: string) => ({ name: "held.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.goto("/portfolios/main_portfolio");
  await page.getByRole("button", { name: "New portfolio" }).click();
  const dialog = page.getByRole("dialog", { name: "New portfolio" });
  await dialog.getByLabel("Name").fill("Brought along");
  await dialog.getByText("What it holds").click();
  await dialog.getByLabel("Held at the close of").fill("2022-06-30");
  const chooser = dialog.getByLabel("File of holdings");
  await chooser.setInputFiles(file("ticker,shares,cost\nKO,ten,62.5\n"));
  await expect(dialog.getByRole("status").filter({ hasText: "Line 2" })).toContainText("Write a number such as 12.34");
  await dialog.getByRole("button", { name: "Open the portfolio" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Mend the lines of the table");

  await chooser.setInputFiles(file("ticker,shares,cost\nKO,20,62.5\n$CASH,2500.25,\n"));
  const row = dialog.getByRole("table", { name: "What the portfolio begins with" }).getByRole("row").nth(1);
  await expect(row).toContainText("KO");
  await expect(row).toContainText("$1,250.00");
  await expect(dialog.getByText("Cash: $2,500.25")).toBeVisible();
  await expect(dialog.getByLabel("Cash to start with")).toBeHidden();
  await dialog.getByRole("button", { name: "Open the portfolio" }).click();
  await page.waitForURL(/\/portfolios\/brought_along$/);
  await expect(page.getByText("as of 30 Jun 2022")).toBeVisible();
  expect((await values(holding(page, "KO"))).slice(0, 2)).toEqual(["20", "62.50"]);
  await expect(page.getByText("No trades yet")).toBeVisible();
});

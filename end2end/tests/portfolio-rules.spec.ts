import type { Page } from "@playwright/test";
import { exact, grouped } from "./decimals";
import { expect, test } from "./fixtures";
import { pill } from "./run-page";
import { finishedPipeline, startPortfolioRun, succeeded } from "./runs";
import { close } from "./samples";

const rules = (page: Page) => page.getByRole("region", { name: "Rules and money" });

test("a new portfolio pays what its rules say, and fills orders at the next price", async ({ page, server, problems }) => {
  // What is refused is refused with a status.
  problems.tolerate(/422 \(Unprocessable Entity\).*\/rpc\/create_portfolio/);
  const { flow } = await finishedPipeline(server, "LLY", "2022-06-30");
  await page.goto("/portfolios/main_portfolio");
  // The portfolio that is there from the beginning trades at closes that its decisions have seen, and says so.
  await expect(rules(page)).toContainText("This flatters the result.");

  await page.getByRole("button", { name: "New portfolio" }).click();
  const dialog = page.getByRole("dialog", { name: "New portfolio" });
  await dialog.getByLabel("Name").fill("Careful");
  await dialog.getByLabel("Cash to start with").fill("50,000");
  await dialog.locator("summary").filter({ hasText: "Rules" }).click();
  await expect(dialog.getByRole("radio", { name: /^at the next price/ })).toBeChecked();
  await dialog.getByLabel("Slippage, % of the price").fill("50");
  await dialog.getByRole("button", { name: "Open the portfolio" }).click();
  await expect(dialog.getByRole("alert")).toContainText("The portfolio's settings cannot be used");
  await dialog.getByLabel("Slippage, % of the price").fill("1");
  await dialog.getByLabel("Commission a trade, $", { exact: true }).fill("2.50");
  await dialog.getByRole("button", { name: "Open the portfolio" }).click();
  await page.waitForURL("**/portfolios/careful");
  await expect(rules(page)).toContainText("Orders are filled at the first price after the decision.");
  await expect(rules(page)).toContainText("A trade costs $2.50; slippage is 1 %.");

  await rules(page).getByRole("button", { name: "Move money" }).click();
  const money = page.getByRole("dialog", { name: "Pay in or take out" });
  await money.getByLabel("Amount in US dollars").fill("1,000");
  await money.getByLabel("Day, after its close").fill("2022-06-29");
  await money.getByLabel("What it is for").fill("Savings");
  await money.getByRole("button", { name: "Pay in" }).click();
  await expect(money).toBeHidden();
  await expect(rules(page).getByRole("listitem").filter({ hasText: "Savings" })).toContainText("+$1,000.00");
  await expect(page.locator(".portfolio-figures")).toContainText("$51,000.00");

  const { run } = await startPortfolioRun(server, "2022-06-30", { flow }, "careful");
  await succeeded(server, run);
  // 10 % of 51,000 for a stock that is rated Buy, half of it in risk-off: 2550 / 320.403 = 7.96 → 7 shares. They are
  // bought on the next trading day, one per cent above its close.
  const paid = (exact(close("LLY", "2022-07-01")) * 101n) / 100n;
  await expect(page.getByRole("region", { name: "Trades" })).toContainText(`7 @ ${grouped(paid, 2)}`);
  await expect(page.getByText("Portfolio · as of 1 Jul 2022")).toBeVisible();
  await expect(rules(page)).toContainText("Commissions");

  await page.goto(`/runs/${run}`);
  await expect(pill(page)).toHaveText("Done");
  await page.getByRole("tablist", { name: "Views" }).getByRole("tab", { name: "Transcript" }).click();
  await expect(page.getByText("waits for a price").first()).toBeVisible();

  await page.goto("/portfolios/careful");
  await rules(page).getByRole("button", { name: "Change the rules" }).click();
  const change = page.getByRole("dialog", { name: "Rules of the portfolio" });
  await expect(change.getByLabel("Slippage, % of the price")).toHaveValue("1");
  await change.getByLabel("Slippage, % of the price").fill("0");
  await change.getByRole("button", { name: "Save" }).click();
  await expect(change).toBeHidden();
  await expect(rules(page)).toContainText("slippage is not counted");
  await page.reload();
  await expect(rules(page)).toContainText("slippage is not counted");
});

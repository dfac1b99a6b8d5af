import { expectAccessible } from "./accessible";
import { expect, test } from "./fixtures";
import { finishedPipeline, openPortfolio, startPortfolioRun } from "./runs";

test("a stock is read off by the keyboard, and its analyses are chosen side by side @mobile", async ({ page, server }) => {
  await finishedPipeline(server, "PEP", "2022-06-30");
  const { run } = await finishedPipeline(server, "PEP", "2022-09-01");
  await page.goto("/tickers/PEP");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^PEP · /);
  await expectAccessible(page, "a stock");

  const chart = page.getByRole("slider", { name: /Day to read off/ });
  await chart.focus();
  const newest = await chart.getAttribute("aria-valuetext");
  await chart.press("ArrowLeft");
  await expect(chart).not.toHaveAttribute("aria-valuetext", newest ?? "");
  await chart.press("[");
  await expect(chart).toHaveAttribute("aria-valuetext", /A2 /);
  await expect(page.locator(".ticker-reading")).toContainText("A2 ");

  const analyses = page.getByRole("region", { name: /^Past analyses; / });
  await analyses.focus();
  await analyses.press("ArrowLeft");
  await expect(analyses.locator("thead .selected")).toContainText("A1");
  await analyses.press("ArrowRight");
  await expect(analyses.locator("thead .selected")).toContainText("A2");
  await analyses.press("Enter");
  await expect(page).toHaveURL(`/runs/${run}`);
});

test("how far back prices go stands in the address, and long ones say how many days are drawn", async ({ page }) => {
  await page.goto("/tickers/KO");
  await page.getByRole("navigation", { name: "How far back" }).getByRole("link", { name: "All" }).click();
  await expect(page).toHaveURL("/tickers/KO?span=all");
  await expect(page.locator(".ticker-chart")).toContainText(/of \d+ days are drawn/);
  await page.getByText("Closes as a table").click();
  await expect(page.getByRole("table", { name: "Close by day, newest first" })).toBeVisible();
});

test("a decision says what became of each order, and leads to its stocks", async ({ page, server }) => {
  const { flow } = await finishedPipeline(server, "LLY", "2022-06-30");
  const portfolio = await openPortfolio(server, "decided");
  const { run } = await startPortfolioRun(server, "2022-06-30", { flow }, portfolio);
  await page.goto(`/decisions/${run}`);
  // The page follows the run to its end.
  await expect(page.locator(".decision-main").first()).toContainText("LLY");
  await expect(page.getByRole("region", { name: "What became of each order" })).toContainText("filled");
  await expectAccessible(page, "a decision");
  await page.getByRole("region", { name: "What became of each order" }).getByRole("link", { name: "LLY" }).click();
  await expect(page).toHaveURL("/tickers/LLY");
});

test("the risk of a portfolio stands against its limits", async ({ page }) => {
  await page.goto("/portfolios/main_portfolio");
  const risk = page.getByRole("region", { name: "Risk" });
  await expect(risk).toContainText("VaR 95 %, a day");
  await expect(risk).toContainText("a loss is negative");
});

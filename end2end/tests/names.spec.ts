import { type Page, expect, test } from "./fixtures";
import { viewTab } from "./run-page";
import { importRun, runFile } from "./run-files";
import { finishedPipeline, startPortfolioRun, succeeded } from "./runs";

// Whatever has a name has the longest one that is allowed, in one word of the widest letters.

const widths = [360, 390, 1_280, 1_440];

const word = (length: number) => "W".repeat(length);

/** How much wider than the window the page is, and what reaches beyond it. */
async function beyond(page: Page): Promise<{ by: number; what: string[] }> {
  return page.evaluate(() => {
    const root = document.documentElement;
    const by = root.scrollWidth - root.clientWidth;
    const what = by <= 0 ? [] : [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 0.5)
      .map((element) => `${element.tagName}.${element.getAttribute("class") ?? ""}`);
    return { by, what: what.slice(-4) };
  });
}

async function fits(page: Page, where: string): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    expect(await beyond(page), `${where} at ${width} px`).toEqual({ by: 0, what: [] });
  }
}

test("no page scrolls sideways, whatever its names are", async ({ page, server }) => {
  test.setTimeout(90_000);
  const flow = "w".repeat(64);
  const portfolio = "w".repeat(64);
  const opened = await server.fetch("/api/v1/portfolios", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: portfolio, name: word(80), cash: "999999999999.99" }),
  });
  expect(opened.status, await opened.text()).toBe(201);
  const analysis = await finishedPipeline(server, "LLY", "2022-06-30", flow);
  const decision = await startPortfolioRun(server, "2022-06-30", { flow }, portfolio);
  await succeeded(server, decision.run);
  const file = runFile(word(300))
    .replaceAll('"Market analyst"', JSON.stringify(word(120)))
    .replaceAll('"Analysts"', JSON.stringify(word(120)))
    .replaceAll('"model":"m"', `"model":"${word(120)}"`)
    .replaceAll('"market_report"', `"${word(120)}"`)
    .replaceAll('"flow":"file"', `"flow":"${flow}"`)
    .replaceAll("The provider broke off.", word(300))
    .replaceAll("It was made by a test.", word(300));
  const imported = await importRun(server, file);

  for (const path of ["/", "/start", "/runs", `/runs?flow=${flow}`, "/portfolio", `/portfolios/${portfolio}`, "/tickers/LLY", `/decisions/${decision.run}`, "/prices", "/tasks", "/account", `/compare?left=${analysis.run}&right=${imported}`, `/compare?left=${analysis.run}&right=${decision.run}`, `/trials?run=${analysis.run}&node=trader&visit=1`]) {
    await page.setViewportSize({ width: 1_280, height: 800 });
    await page.goto(path);
    await fits(page, path);
  }
  for (const [run, node] of [[imported, "market_analyst"], [decision.run, "portfolio_manager"], [analysis.run, "portfolio_manager"]]) {
    await page.setViewportSize({ width: 1_280, height: 800 });
    await page.goto(`/runs/${run}?node=${node}`);
    for (const view of ["Graph", "Timeline", "Transcript", "Events", "Chat"]) {
      await viewTab(page, view).click();
      await fits(page, `${view} of ${run}`);
    }
    await page.goto(`/runs/${run}`);
    await fits(page, run);
  }

  // A token's label, and what the search finds.
  await page.setViewportSize({ width: 1_280, height: 800 });
  await page.goto("/");
  await page.getByRole("combobox", { name: /Search/ }).or(page.getByRole("searchbox", { name: /Search/ })).first().fill("W");
  await fits(page, "search");
});

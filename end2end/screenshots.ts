import { join, resolve } from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "./tests/fixtures";
import { card, fact, pill, viewTab } from "./tests/run-page";
import { finishedPipeline, startPipeline, startPortfolioRun, succeeded } from "./tests/runs";
import type { Server } from "./tests/server";

const root = resolve(__dirname, "..");

// The pictures show what lives as it is: with its pulse and its caret.
test.use({ viewport: { width: 1440, height: 900 }, deviceScaleFactor: 2 });

const wide = { width: 1440, height: 900 };
const narrow = { width: 390, height: 844 };

type Look = { scheme: "dark" | "light"; size: typeof wide };

const looks: Record<string, Look> = {
  "dark": { scheme: "dark", size: wide },
  "light": { scheme: "light", size: wide },
  "dark-390": { scheme: "dark", size: narrow },
  "light-390": { scheme: "light", size: narrow },
};

async function dress(page: Page, { scheme, size }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize(size);
}

/** Lets transitions and fonts end, which no assertion can see. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all(document.getAnimations().filter((it) => it.effect?.getTiming().iterations === 1).map((it) => it.finished));
    await new Promise((drawn) => setTimeout(drawn, 300));
  });
}

async function take(page: Page, name: string): Promise<void> {
  await settle(page);
  await page.screenshot({ path: join(root, `target/screenshots/${name}.png`), caret: "initial" });
}

/** Decisions on several days, so that holdings, rejections and a history are there to be seen. */
async function portfolioWithHistory(server: Server): Promise<void> {
  const days: [day: string, tickers: string[]][] = [
    ["2022-06-30", ["LLY", "MRK", "PFE", "AAPL"]],
    ["2022-08-31", ["PEP", "KO", "XOM"]],
    ["2022-10-31", ["CVX", "JNJ", "UNH", "WMT"]],
    ["2022-12-28", ["GE", "JPM", "MSFT", "MRK"]],
  ];
  for (const [day, tickers] of days) {
    let flow: string | undefined;
    for (const ticker of tickers) flow = (await finishedPipeline(server, ticker, day, flow)).flow;
    const { run } = await startPortfolioRun(server, day, { flow });
    await succeeded(server, run);
  }
}

test("the README's picture: a run at work with a node selected", async ({ page, server }) => {
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 220 });
  await dress(page, { scheme: "dark", size: wide });
  await page.goto(`/runs/${run}`);
  await expect(pill(page)).toHaveText("Running: Debate", { timeout: 60_000 });
  await expect(card(page, "Bear researcher")).toContainText("working", { timeout: 30_000 });
  await card(page, "Market analyst").click();
  await settle(page);
  await page.screenshot({ path: join(root, "docs/run.png") });
});

test("the run page at work", async ({ page, server }) => {
  for (const [name, look] of Object.entries(looks)) {
    const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 220 });
    await dress(page, look);
    await page.goto(`/runs/${run}`);
    await expect(fact(page, "Connection")).toHaveText("Live");
    await take(page, `run-analysts-${name}`);
    await expect(pill(page)).toHaveText("Running: Debate", { timeout: 60_000 });
    await expect(card(page, "Bear researcher")).toContainText("working", { timeout: 30_000 });
    await take(page, `run-working-${name}`);
    for (const view of ["Transcript", "Timeline", "Events"]) {
      await viewTab(page, view).click();
      await take(page, `run-working-${view.toLowerCase()}-${name}`);
    }
    await viewTab(page, "Graph").click();
    await card(page, "Bear researcher").click({ timeout: 5_000 }).catch(() => page.goto(`/runs/${run}?node=bear_researcher`));
    await take(page, `run-working-node-${name}`);
  }
});

test("all pages with something on them", async ({ page, server, problems }) => {
  problems.tolerate(/status of 404/);
  await portfolioWithHistory(server);
  const { run, flow } = await startPipeline(server, "AAPL", "2022-12-28", { charactersPerSecond: 2_000 });
  await succeeded(server, run);
  const decided = await startPortfolioRun(server, "2022-12-28", { flow, charactersPerSecond: 2_000 });
  await succeeded(server, decided.run);
  await startPipeline(server, "KO", "2022-06-30", { charactersPerSecond: 60 });
  for (const [name, look] of Object.entries(looks)) {
    await dress(page, look);
    const pages = {
      "run-finished": `/runs/${run}`,
      "run-node": `/runs/${run}?node=market_analyst`,
      transcript: `/runs/${run}?view=transcript`,
      timeline: `/runs/${run}?view=timeline`,
      events: `/runs/${run}?view=events`,
      "run-portfolio": `/runs/${decided.run}`,
      overview: "/",
      runs: "/runs",
      portfolio: "/portfolios/main_portfolio",
      "not-found": "/nowhere",
    };
    for (const [what, path] of Object.entries(pages)) {
      await page.goto(path);
      await take(page, `${what}-${name}`);
    }
    await page.goto("/portfolios/main_portfolio");
    await settle(page);
    await page.screenshot({ path: join(root, `target/screenshots/portfolio-whole-${name}.png`), fullPage: true });
    await page.goto("/");
    await settle(page);
    await page.screenshot({ path: join(root, `target/screenshots/overview-whole-${name}.png`), fullPage: true });
  }
});

test("what opens over a page", async ({ page }) => {
  for (const [name, look] of Object.entries(looks)) {
    await dress(page, look);
    await page.goto("/");
    await page.keyboard.press("?");
    await take(page, `keys-${name}`);
    await page.keyboard.press("Escape");
    await page.getByRole("combobox", { name: "Search runs, tickers and pages" }).fill("aapl");
    await expect(page.getByRole("listbox", { name: "Found" }).getByRole("option").first()).toBeVisible();
    await take(page, `search-${name}`);
    await page.keyboard.press("Escape");
    await page.goto("/start");
    const form = page.getByRole("form", { name: "Start a run" });
    await form.getByRole("combobox", { name: "Ticker" }).fill("NOPE");
    await form.getByLabel("As of").fill("2031-01-01");
    await form.getByRole("button", { name: "Start the run" }).click();
    await take(page, `form-faults-${name}`);
    await form.getByRole("combobox", { name: "Ticker" }).fill("m");
    await take(page, `form-tickers-${name}`);
    await page.keyboard.press("Escape");
    await page.goto("/portfolios/main_portfolio");
    await page.getByRole("button", { name: "New portfolio" }).click();
    await take(page, `new-portfolio-${name}`);
  }
});

import type { Page } from "@playwright/test";
import { exact, grouped, percent } from "./decimals";
import { expect, test } from "./fixtures";
import {
  card, cards, completeTurns, expectStillSaid, fact, figures, graph, inspector, pill, transcript, turnsInSight, viewTab,
  writing,
} from "./run-page";
import { finishedPipeline, runView, stop } from "./runs";
import { close, independentIndicators } from "./samples";

// The form's speed "Normal": about 20 s for a run with four analysts.
test.use({ variables: { PITWALL_REHEARSAL_SPEED: "420" } });

type Speed = "Slow" | "Normal" | "Fast";

/** Starts the analysis of AAPL on 2022-06-30 with the form, and returns the run's id. */
async function startWithTheForm(page: Page, speed: Speed): Promise<string> {
  await page.goto("/start");
  const form = page.getByRole("form", { name: "Start a run" });
  await form.getByRole("radio", { name: "Pipeline" }).check();
  await form.getByRole("combobox", { name: "Ticker" }).fill("appl");
  await form.getByRole("listbox", { name: "Instruments" }).getByRole("option", { name: /AAPL/ }).click();
  await expect(form.getByRole("combobox", { name: "Ticker" })).toHaveValue("AAPL");
  await form.getByLabel("As of").fill("2022-06-30");
  for (const analyst of ["Market", "Social", "News", "Fundamentals"]) {
    await form.getByRole("checkbox", { name: new RegExp(analyst) }).check();
  }
  await form.getByRole("radio", { name: speed }).check();
  await form.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

/** A text without the marks of Markdown: they are there only while it is written. */
const plain = (text: string): string => text.replace(/[*`]/g, "").trim();

test("four analysts work at the same time and their answers appear as they are written", async ({ page, server }) => {
  const run = await startWithTheForm(page, "Slow");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · AAPL · 2022-06-30");
  await expect(graph(page).getByRole("button", { name: /analyst working/ })).toHaveCount(4);
  await expect(fact(page, "Connection")).toHaveText("Live");
  // The whole plan stands there from the beginning: what comes later waits.
  await expect(cards(page)).toHaveCount(13);
  await expect(card(page, "Portfolio manager")).toContainText("waiting");

  // Each card shows the newest words of its agent.
  const line = card(page, "Market analyst").locator(".node-line");
  const words = await line.innerText();
  await expect(line).not.toHaveText(words);

  await viewTab(page, "Transcript").click();
  // The last one that writes is another one once an analyst is done.
  const text = turnsInSight(page).filter({ hasText: "Market analyst" }).locator(".writing:not(.dim)").first();
  const before = await text.innerText();
  expect(before.length).toBeGreaterThan(0);
  await expect.poll(async () => (await text.innerText()).length).toBeGreaterThan(before.length + 40);
  expect(await text.innerText()).toContain(before.trim());
  await stop(server, run);
});

test("a reload and a second tab show the same run to its end, and it ends with a rating", async ({ page, newTab, server }) => {
  const run = await startWithTheForm(page, "Normal");
  await viewTab(page, "Transcript").click();
  // In the middle of the debate: some have spoken, one speaks.
  await expect(pill(page)).toHaveText("Running: Debate", { timeout: 20_000 });
  await expect.poll(() => writing(page).count()).toBeGreaterThan(0);
  const saidBefore = await completeTurns(page);
  const beingWritten = await writing(page).last().innerText();
  expect(saidBefore.size).toBeGreaterThanOrEqual(4);

  await page.reload();
  const second = await newTab();
  await second.goto(page.url());
  for (const tab of [page, second]) {
    await expect(fact(tab, "Connection")).toHaveText("Live");
    await expectStillSaid(tab, saidBefore);
    // What was being written is not lost either, not even its first words. It stands at the end, which may have moved on
    // while the turns before were looked through.
    const words = plain(beingWritten).slice(0, 60);
    const newest = tab.getByRole("button", { name: "To the newest" });
    await expect(async () => {
      if (await newest.isVisible()) await newest.click({ timeout: 1_000 });
      expect(plain((await transcript(tab).textContent()) ?? "")).toContain(words);
    }).toPass({ timeout: 10_000 });
  }

  for (const tab of [page, second]) {
    await expect(pill(tab)).toHaveText("Done", { timeout: 40_000 });
    await expect(fact(tab, "Connection")).toHaveText("Complete");
  }
  expect(await figures(second)).toEqual(await figures(page));
  const texts = await completeTurns(page);
  expect(await completeTurns(second)).toEqual(texts);

  // And both are what the server has: every turn and every token.
  const { summary, turns } = await runView(server, run);
  expect(texts.size).toBe(turns.length);
  const tokens = summary.totals.tokens_in + summary.totals.tokens_out;
  await expect(fact(page, "Tokens")).toHaveText(tokens.toLocaleString("en-US"));
  await expect(fact(page, "Nodes")).toHaveText("13 / 13");
  await expect(fact(page, "Cost")).toHaveText("$0.00");
  await expect(page.getByText("Rehearsal model:")).toBeVisible();

  // By the rehearsal's rules, from the independent table: the close is below SMA 200 (−1) and
  // SMA 50 (−1), which is below SMA 200 (−1); the MACD histogram is positive (+1), the RSI of 44
  // in the lower half (−1), the quarter at −23 % (−1); volatility and drawdown count nothing.
  // Together −4: Underweight; medium, as inputs are missing.
  const rating = inspector(page).getByRole("article");
  await expect(rating).toContainText("Underweight");
  await expect(rating).toContainText("medium confidence");
  await expect(rating).toContainText("a score of −4");
  // The form that the manager filled in is shown by its fields.
  await transcript(page).evaluate((frame) => (frame.scrollTop = frame.scrollHeight));
  const form = turnsInSight(page).filter({ hasText: "Portfolio manager" }).locator("dl").filter({ hasText: "Thesis" });
  await expect(form.getByRole("term")).toHaveText(["Grade", "Confidence", "Summary", "Thesis"]);
  await expect(form.getByRole("definition").first()).toHaveText("underweight");
  await viewTab(page, "Graph").click();
  await expect(card(page, "Portfolio manager")).toContainText("Underweight, medium confidence");
});

test("every figure of the market report equals the independent calculation", async ({ page, server }) => {
  const { run } = await finishedPipeline(server, "AAPL", "2022-06-30");
  await page.goto(`/runs/${run}`);
  await card(page, "Market analyst").click();
  await expect(inspector(page).getByRole("heading", { name: "Market analyst" })).toBeVisible();
  await expect(inspector(page).getByRole("heading", { name: "Figures used" })).toBeVisible();

  // The documented roundings: prices and the index 2 places, differences of prices 4, fractions
  // as per cent with 2.
  const dollars = (value: string) => grouped(exact(value), 2);
  const difference = (value: string) => grouped(exact(value), 4);
  const fraction = (value: string) => percent(exact(value), 2);
  const shown: Record<string, [label: string, show: (value: string) => string]> = {
    close_50_sma: ["SMA 50", dollars],
    close_200_sma: ["SMA 200", dollars],
    close_10_ema: ["EMA 10", dollars],
    macd: ["MACD 12/26", difference],
    macds: ["MACD signal 9", difference],
    macdh: ["MACD histogram", difference],
    rsi: ["RSI 14", dollars],
    boll: ["Bollinger middle 20", dollars],
    boll_ub: ["Bollinger upper 20/2", dollars],
    boll_lb: ["Bollinger lower 20/2", dollars],
    return_21d: ["Return, 21 days", fraction],
    return_63d: ["Return, 63 days", fraction],
    return_252d: ["Return, 252 days", fraction],
    volatility_252d: ["Annualised volatility, 252 days", fraction],
    max_drawdown_252d: ["Max drawdown, 252 days", fraction],
    distance_from_200_sma: ["Distance from SMA 200", fraction],
  };
  const independent = independentIndicators("AAPL", "2022-06-30");
  expect([...independent.keys()].sort()).toEqual(Object.keys(shown).sort());

  const expected = new Map<string, string>([["Close", dollars(close("AAPL", "2022-06-30"))]]);
  for (const [indicator, value] of independent) {
    const [label, show] = shown[indicator] ?? [indicator, dollars];
    expected.set(label, show(value));
  }
  // The data holds closes: what needs highs, lows or volumes is not made up.
  expected.set("ATR 14", "not available: the data has closes only");
  expected.set("VWMA 20", "not available: the data has closes only");

  const rows = inspector(page).locator(".figure-row");
  await expect(rows).toHaveCount(expected.size);
  const onPage = new Map<string, string>();
  for (const row of await rows.all()) {
    // The term holds the label, and in small type the source.
    const label = await row.getByRole("term").evaluate((term) => term.firstChild?.textContent ?? "");
    onPage.set(label, await row.getByRole("definition").innerText());
    await expect(row.getByRole("term").locator("small")).toContainText("as of 2022-06-30");
  }
  expect(Object.fromEntries(onPage)).toEqual(Object.fromEntries(expected));
});

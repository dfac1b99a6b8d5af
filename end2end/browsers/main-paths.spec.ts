import { Key } from "selenium-webdriver";
import { finishedPipeline, runView, startPipeline, startPortfolioRun, succeeded } from "../tests/runs";
import { expect, test } from "./fixtures";
import {
  ask, button, card, choice, containing, dialog, fact, field, heading, inspector, link, ofClass, option, pill, summary, tab as view,
  transcript, within,
} from "./parts";
import { untilTheEnd } from "./tab";

const june = "2022-06-30";

const finder = field("Find in the transcript");

test("an error in a page would be heard", async ({ tab, browserOfKind }) => {
  await tab.open("/");
  await browserOfKind.session.executeScript("setTimeout(() => { throw new Error('heard') }); console.error('this, too')");
  const heard: string[] = [];
  const all = async () => heard.push(...(await browserOfKind.takeErrors())) && heard.sort().join("; ");
  await expect.poll(all).toMatch(/Error: heard.*; this, too/);
});

test("a run is started with the form, watched to its end, and shown the same after a reload", async ({ tab, server }) => {
  await tab.open("/start");
  const form = "//form[@id='start']";
  await tab.fill(within(form, field("Ticker")), "appl");
  await tab.click(within(form, option("AAPL")));
  expect(await tab.value(within(form, field("Ticker")))).toBe("AAPL");
  await tab.fillDay(within(form, field("As of")), june);
  expect(await tab.value(within(form, field("As of")))).toBe(june);
  await tab.click(within(form, button("Start the run")));

  await tab.reads("//h1", `Pipeline · AAPL · ${june}`);
  await tab.reads(fact("Connection"), "Live");
  await tab.reads(pill, /^Running: /);
  await tab.sees(containing(card("Market analyst"), "working"));
  await tab.click(view("Transcript"));
  // What is said grows while somebody says it.
  await tab.sees(within(transcript, ofClass("writing")));
  const said = await tab.length(transcript);
  await expect.poll(() => tab.length(transcript)).toBeGreaterThan(said + 40);
  await tab.reads(pill, /^Running: /);

  await tab.reads(pill, "Done", untilTheEnd);
  await tab.reads(fact("Connection"), "Complete");
  await tab.reads(fact("Nodes"), "13 / 13");
  const run = (await tab.path()).split("/").at(-1) ?? "";
  const { summary: end } = await runView(server, run);
  const tokens = (end.totals.tokens_in + end.totals.tokens_out).toLocaleString("en-US");
  await tab.reads(fact("Tokens"), tokens);
  const elapsed = await tab.text(fact("Elapsed"));

  await tab.open(`/runs/${run}`);
  await tab.reads(fact("Tokens"), tokens);
  await tab.reads(fact("Elapsed"), elapsed);
  await tab.sees(containing(card("Portfolio manager"), "Underweight"));
  await tab.click(card("Market analyst"));
  await tab.sees(within(inspector, heading("Figures used")));
  for (const [name, shown] of [["Timeline", ofClass("timeline")], ["Events", ofClass("event-seq")]]) {
    await tab.click(view(name));
    await tab.sees(shown);
  }
});

test("a run at work is stopped, with a reason", async ({ tab, server }) => {
  const { run } = await startPipeline(server, "MSFT", june, { charactersPerSecond: 60 });
  await tab.open(`/runs/${run}`);
  await tab.reads(pill, /^Running/);
  await tab.press("s");
  const question = dialog("Stop this run?");
  await tab.fill(within(question, field("Reason")), "the wrong ticker");
  await tab.click(within(question, button("Stop the run")));
  await tab.reads(pill, "Stopped");
  await tab.misses(question);
  await tab.click(view("Transcript"));
  await tab.sees(containing(transcript, "Stopped by you: the wrong ticker"));
  expect((await runView(server, run)).summary.status).toBe("cancelled");
});

test("a run pauses before a chosen node, goes on when approved, and its approve mode is changed", async ({ tab, server }) => {
  const nodes = ["research_manager", "trader", "screen"];
  const { run } = await startPipeline(server, "LLY", june, { approval: { type: "nodes", nodes } });
  await tab.open(`/runs/${run}`);
  const pause = ask('May "Critical screen" begin?');
  await tab.click(within(pause, summary("The state that it gets")));
  await tab.sees(within(pause, heading("market_report")));
  await tab.click(within(pause, button("Approve")));
  await tab.sees(ask('May "Research manager" begin?'));

  await tab.click(`//button[contains(normalize-space(.), '3 nodes')]`);
  const mode = dialog("Approve mode");
  await tab.click(within(mode, choice("Off")));
  await tab.click(within(mode, button("Set the mode")));
  await tab.misses(mode);
  await tab.reads(pill, "Done", untilTheEnd);
  await tab.click(view("Transcript"));
  for (const said of ["You: approved", "You changed the approve mode: no pauses."]) {
    // Only what is near is in the document.
    await tab.fill(finder, `${said.split(": ").at(-1)}${Key.ENTER}`);
    await tab.sees(containing(transcript, said));
  }
});

test("a question of a run is answered, and one about it is asked", async ({ tab, server }) => {
  const { run } = await startPipeline(server, "KO", june, { questions: true });
  await tab.open("/");
  await tab.click(link(`Pipeline · KO · ${june}`));
  const question = ask("How much risk suits you here?");
  await tab.click(within(question, choice("Less")));
  await tab.click(within(question, button("Answer")));
  await tab.misses(question);
  await tab.reads(pill, "Done", untilTheEnd);
  expect(await tab.path()).toBe(`/runs/${run}`);
  await tab.click(view("Transcript"));
  await tab.fill(finder, `Less${Key.ENTER}`);
  await tab.sees(containing(transcript, "You: Less"));

  await tab.click(view("Chat"));
  await tab.fill(field("Your question"), `Why was the rating chosen?${Key.ENTER}`);
  const exchange = containing(within(ofClass("chat"), "//article"), "Why was the rating chosen?");
  await tab.reads(within(exchange, ofClass("turn-foot")), /rehearsal/);
  await tab.reads(exchange, /Why was the rating chosen\? .{40}/);
});

test("a run is found by the search, from the keyboard, and in the list of runs", async ({ tab, server }) => {
  const { run } = await finishedPipeline(server, "MRK", june);
  const title = `Pipeline · MRK · ${june}`;
  await tab.open("/");
  await tab.press("/");
  const search = field("Search runs, tickers and pages");
  await tab.press("MRK", search);
  await tab.sees(option(title));
  const chosen = containing("//*[@role='option'][@aria-selected='true']", title);
  await expect(async () => {
    await tab.press(Key.ARROW_DOWN, search);
    await tab.sees(chosen, { timeout: 200 });
  }).toPass({ timeout: 10_000 });
  await tab.press(Key.ENTER, search);
  await tab.reads("//h1", title);
  expect(await tab.path()).toBe(`/runs/${run}`);

  await tab.click(link("Runs"));
  await tab.sees(heading("Runs"));
  const row = containing("//tr", title);
  await tab.fill("//input[@type='search']", "nothing like it");
  await tab.misses(row);
  await tab.fill("//input[@type='search']", "mrk");
  await tab.sees(row);
});

test("an open portfolio shows what a portfolio run buys", async ({ tab, server }) => {
  const { flow } = await finishedPipeline(server, "LLY", june);
  await tab.open("/portfolios/main_portfolio");
  await tab.sees("//*[contains(text(), 'Nothing is held')]");
  const { run } = await startPortfolioRun(server, june, { flow });
  await succeeded(server, run);
  // 10 % of $100,000, half of it in risk-off, buys 15 whole shares at 320.403.
  const holding = containing("//table[contains(normalize-space(.), 'Ticker')]//tr", "LLY");
  await tab.reads(holding, /\b15\b.*320\.40.*4,806\.05/);
  await tab.sees(containing("//*", "as of 30 Jun 2022"));
});

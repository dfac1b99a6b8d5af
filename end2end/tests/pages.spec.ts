import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { expect, test } from "./fixtures";
import { asks, card, cards, inspector, menu, pill, turnsInSight, viewTab } from "./run-page";
import {
  type Accepted, finishedPipeline, reaches, runView, startPipeline, startPortfolioRun, stop, succeeded,
} from "./runs";
import type { Server } from "./server";

/** What the pages show: three analyses and a decision in one flow, and what waits for a person. */
let analysis: Accepted;
let other: Accepted;
let asking: Accepted;
let pausing: Accepted;

test.beforeAll(async ({ server }) => {
  analysis = await finishedPipeline(server, "LLY", "2022-06-30");
  await finishedPipeline(server, "MRK", "2022-06-30", analysis.flow);
  const decision = await startPortfolioRun(server, "2022-06-30", { flow: analysis.flow });
  await succeeded(server, decision.run);
  other = await finishedPipeline(server, "AAPL", "2022-06-30");
  asking = await startPipeline(server, "KO", "2022-06-30", { questions: true });
  pausing = await startPipeline(server, "PFE", "2022-06-30", { approval: { type: "nodes", nodes: ["trader"] } });
  for (const { run } of [asking, pausing]) await reaches(server, run, "waiting");
});

test.afterAll(async ({ server }) => {
  for (const { run } of [asking, pausing]) await stop(server, run);
});

/** A run that takes as long as a test does. */
async function slowRun(server: Server): Promise<string> {
  const { run } = await startPipeline(server, "MSFT", "2022-06-30", { charactersPerSecond: 60 });
  return run;
}

test.describe("the start form", () => {
  const startForm = (page: Page): Locator => page.getByRole("form", { name: "Start a run" });

  test("says what is wrong in every field and keeps what was filled in", async ({ page }) => {
    await page.goto("/start");
    const form = startForm(page);
    const ticker = form.getByRole("combobox", { name: "Ticker" });
    await ticker.fill("NOPE");
    await form.getByLabel("As of").fill("2031-01-01");
    await form.getByRole("checkbox", { name: /News/ }).uncheck();
    await form.getByRole("button", { name: "Start the run" }).click();

    await expect(form.getByText('There are no prices for "NOPE". Choose an instrument from the list.')).toBeVisible();
    await expect(form.getByText(/^Prices end on .* 2022\. Choose a day from .* to .*\.$/)).toBeVisible();
    await expect(ticker).toBeFocused();
    await expect(ticker).toHaveValue("NOPE");
    await expect(ticker).toHaveAttribute("aria-invalid", "true");
    await expect(form.getByLabel("As of")).toHaveValue("2031-01-01");
    await expect(form.getByRole("checkbox", { name: /News/ })).not.toBeChecked();

    // A fault goes as soon as it is mended.
    await ticker.fill("AAPL");
    await expect(form.getByText(/^There are no prices for/)).toHaveCount(0);
    await form.getByLabel("As of").fill("2022-06-30");
    await expect(form.getByText(/^Prices end on/)).toHaveCount(0);
    await expect(page).toHaveURL("/start");
  });

  test("keeps the rest of a day while a part of it is typed anew", async ({ page }) => {
    await page.goto("/start");
    const day = startForm(page).getByLabel("As of");
    await day.fill("2022-06-30");
    // The month goes; day and year stay where they are.
    await day.press("Delete");
    await expect(day).toHaveValue("");
    await page.keyboard.type("05");
    await expect(day).toHaveValue("2022-05-30");
  });

  test("asks for at least one analyst", async ({ page }) => {
    await page.goto("/start");
    const form = startForm(page);
    for (const box of await form.getByRole("checkbox").all()) await box.uncheck();
    await form.getByRole("button", { name: "Start the run" }).click();
    await expect(form.getByText("Choose at least one analyst.")).toBeVisible();
    await expect(page).toHaveURL("/start");
  });

  test("keeps its answers when the server cannot be reached", async ({ page, problems }) => {
    problems.tolerate(/Failed to load resource: net::ERR_CONNECTION_REFUSED/);
    await page.goto("/start");
    const form = startForm(page);
    await form.getByRole("combobox", { name: "Ticker" }).fill("KO");
    await form.getByLabel("As of").fill("2021-03-31");
    await page.route("**/rpc/start_run*", (route) => route.abort("connectionrefused"));
    await form.getByRole("button", { name: "Start the run" }).click();
    await expect(form.getByRole("alert")).toContainText("The run was not started.");
    await expect(form.getByRole("alert")).toContainText("Your answers are kept.");
    await expect(form.getByRole("combobox", { name: "Ticker" })).toHaveValue("KO");
    await expect(form.getByLabel("As of")).toHaveValue("2021-03-31");

    await page.unroute("**/rpc/start_run*");
    await form.getByRole("radio", { name: "Fast" }).check();
    await form.getByRole("button", { name: "Start the run" }).click();
    await page.waitForURL(/\/runs\//);
    await expect(pill(page)).toHaveText("Done", { timeout: 20_000 });
  });
});

test.describe("the list of runs", () => {
  const rows = (page: Page): Locator => page.getByRole("table", { name: "Runs, newest first" }).getByRole("row");
  const titles = (page: Page): Locator => rows(page).getByRole("link", { name: /·/ });

  test("is searched and filtered, and the address keeps what was chosen", async ({ page }) => {
    await page.goto("/runs");
    await page.getByRole("searchbox", { name: "Search" }).fill("mrk");
    await expect(page).toHaveURL("/runs?q=mrk");
    await expect(titles(page)).toHaveText(["Pipeline · MRK · 2022-06-30"]);

    await page.getByRole("combobox", { name: "Status" }).selectOption("Failed");
    await expect(page).toHaveURL("/runs?q=mrk&status=failed");
    await expect(page.getByText("No run matches")).toBeVisible();
    await page.getByRole("combobox", { name: "Status" }).selectOption("All");
    await expect(titles(page)).toHaveCount(1);

    // Whatever runs others have started on this server.
    const isOfPortfolios = async () => {
      await expect(titles(page).filter({ hasText: "Portfolio · main_portfolio" }).first()).toBeVisible();
      await expect(titles(page).filter({ hasNotText: "Portfolio · " })).toHaveCount(0);
    };
    await page.goto("/runs?kind=portfolio");
    await isOfPortfolios();
    await expect(page.getByRole("combobox", { name: "Type" })).toHaveValue("portfolio");
    await page.reload();
    await isOfPortfolios();

    await page.goto(`/runs?flow=${analysis.flow}`);
    await expect(titles(page)).toHaveCount(3);
    await page.goBack();
    await expect(page).toHaveURL("/runs?kind=portfolio");
  });

  test("shows a run that begins elsewhere without a reload", async ({ page, server }) => {
    await page.goto("/runs?q=PEP");
    await expect(page.getByText("No run matches")).toBeVisible();
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
    const { run } = await finishedPipeline(server, "PEP", "2022-06-30");
    await expect(titles(page)).toHaveText(["Pipeline · PEP · 2022-06-30"]);
    const { summary } = await runView(server, run);
    await expect(rows(page).filter({ hasText: "PEP" })).toContainText(summary.result ?? "");
  });
});

test("one socket tells a tab of all runs, whatever page it shows, and a page that opens later knows what was told", async ({ page, server }) => {
  const feeds: string[] = [];
  page.on("websocket", (socket) => {
    if (socket.url().includes("/ws/v1/feed")) feeds.push(socket.url());
  });
  const main = page.getByRole("navigation", { name: "Pages" });
  await page.goto("/");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await main.getByRole("link", { name: "Portfolio" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Main portfolio");
  const { run } = await startPipeline(server, "GE", "2022-06-30", { charactersPerSecond: 100 });
  await main.getByRole("link", { name: "Runs" }).click();
  const row = page.getByRole("row").filter({ hasText: "Pipeline · GE · 2022-06-30" });
  await expect(row).toContainText("Running");
  await stop(server, run);
  await expect(row).toContainText("Stopped");
  await main.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  expect(feeds).toHaveLength(1);
});

test("looking around while agents write breaks nothing", async ({ page, server }) => {
  const { run } = await startPipeline(server, "MSFT", "2022-06-30", { charactersPerSecond: 400 });
  await page.goto(`/runs/${run}`);
  const views = [["t", "Timeline"], ["l", "Transcript"], ["e", "Events"], ["g", "Graph"]] as const;
  for (let round = 0; round < 6; round += 1) {
    for (const [key, view] of views) {
      await page.keyboard.press(key);
      await expect(viewTab(page, view)).toHaveAttribute("aria-selected", "true");
      await page.keyboard.press("j");
    }
    await page.keyboard.press("Escape");
  }
  // To other pages and back, without a load.
  await page.getByRole("link", { name: "Runs", exact: true }).first().click();
  await page.getByRole("link", { name: "Pipeline · MSFT · 2022-06-30" }).first().click();
  await expect(pill(page)).toContainText("Running");
  await viewTab(page, "Transcript").click();
  await expect(page.getByRole("log", { name: "Transcript" })).toContainText("Market analyst");
  await page.goBack();
  await page.goForward();
  await expect(pill(page)).toHaveText("Done", { timeout: 40_000 });
});

test("a run is stopped from its page, and the reason is kept", async ({ page, server }) => {
  const run = await slowRun(server);
  await page.goto(`/runs/${run}`);
  await page.getByRole("button", { name: "Stop" }).click();
  const dialog = page.getByRole("dialog", { name: "Stop this run?" });
  await dialog.getByLabel(/^Reason/).fill("wrong ticker");
  await dialog.getByRole("button", { name: "Stop the run" }).click();
  await expect(dialog).toBeHidden();
  await expect(pill(page)).toHaveText("Stopped");
  await expect(page.getByText(/The run was stopped\./)).toBeVisible();
  await expect(page.getByText(/wrong ticker/).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop" })).toHaveCount(0);
  expect((await runView(server, run)).summary).toMatchObject({ status: "cancelled" });
  await page.goto("/runs?status=cancelled");
  await expect(page.getByRole("row").filter({ hasText: "MSFT" }).first()).toContainText("wrong ticker");
});

test("the events of a run are narrowed by kind, by node and by text in any case", async ({ page, server }) => {
  const response = await server.fetch(`/api/v1/runs/${analysis.run}/events?limit=200`);
  const events = (await response.json()) as { node?: string; body: { kind: string } }[];
  const narrowed = (number: number) => page.getByText(`${number} of ${events.length} events`, { exact: true });
  await page.goto(`/runs/${analysis.run}?view=events`);
  await expect(page.getByText(`${events.length} events`, { exact: true })).toBeVisible();

  const calls = events.filter(({ body }) => body.kind === "call_started");
  const traders = calls.filter(({ node }) => node === "trader");
  expect(calls.length).toBeGreaterThan(traders.length);
  await page.getByRole("combobox", { name: "Kind" }).selectOption("call started");
  await expect(narrowed(calls.length)).toBeVisible();
  await page.getByRole("combobox", { name: "Node" }).selectOption("Trader");
  await expect(narrowed(traders.length)).toBeVisible();
  await page.getByRole("combobox", { name: "Kind" }).selectOption("All kinds");
  await page.getByRole("combobox", { name: "Node" }).selectOption("All nodes");

  const naming = events.filter(({ body }) => JSON.stringify(body).toLowerCase().includes("research_manager"));
  expect(naming.length).toBeGreaterThan(0);
  await page.getByRole("searchbox", { name: "Text" }).fill("Research_MANAGER");
  await expect(narrowed(naming.length)).toBeVisible();
});

test.describe("by keyboard alone", () => {
  test("one searches and reaches a run", async ({ page }) => {
    await page.goto("/");
    await page.keyboard.press("/");
    const search = page.getByRole("combobox", { name: "Search runs, tickers and pages" });
    await expect(search).toBeFocused();
    await page.keyboard.type("LLY");
    const hits = page.getByRole("listbox", { name: "Found" }).getByRole("option");
    const run = hits.filter({ hasText: "Pipeline · LLY · 2022-06-30" });
    await expect(run).toHaveCount(1);
    for (let step = 0; step < 12 && (await run.getAttribute("aria-selected")) !== "true"; step += 1) {
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(`/runs/${analysis.run}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · LLY · 2022-06-30");
    await page.keyboard.press("/");
    await page.keyboard.press("Escape");
    await expect(search).not.toBeFocused();
  });

  test("one reads which keys there are", async ({ page }) => {
    await page.goto("/runs");
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await expect(help).toBeVisible();
    await expect(help).toContainText("Run: graph, runs of its own, timeline, transcript, events");
    await page.keyboard.press("Escape");
    await expect(help).toBeHidden();
  });

  test("one looks at a run from all sides", async ({ page }) => {
    await page.goto(`/runs/${analysis.run}`);
    for (const [key, view] of [["t", "Timeline"], ["l", "Transcript"], ["e", "Events"], ["g", "Graph"]] as const) {
      await page.keyboard.press(key);
      await expect(viewTab(page, view)).toHaveAttribute("aria-selected", "true");
    }
    await expect(page).toHaveURL(`/runs/${analysis.run}`);

    // j and k go through the plan, arrows to the neighbour on that side.
    await page.keyboard.press("j");
    await expect(card(page, "Market analyst")).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.press("j");
    await expect(card(page, "Social analyst")).toHaveAttribute("aria-pressed", "true");
    await expect(inspector(page).getByRole("heading", { name: "Social analyst" })).toBeVisible();
    await page.keyboard.press("k");
    await expect(card(page, "Market analyst")).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.press("ArrowDown");
    await expect(card(page, "Market analyst")).toHaveAttribute("aria-pressed", "false");
    await page.keyboard.press("ArrowUp");
    await expect(card(page, "Market analyst")).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.press("ArrowRight");
    await expect(card(page, "Critical screen")).toHaveAttribute("aria-pressed", "true");
    await expect(page).toHaveURL(/node=screen/);
    await page.keyboard.press("Escape");
    await expect(cards(page).and(page.locator("[aria-pressed=true]"))).toHaveCount(0);
    await expect(inspector(page).getByRole("heading", { name: "Result" })).toBeVisible();
  });
});

test("an address that leads nowhere is answered with 404 and a way out", async ({ page, problems }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  for (const path of ["/nowhere", "/runs/nothing", "/runs/0197a1b2-0000-7000-8000-000000000000", "/portfolios/none"]) {
    const response = await page.goto(path);
    expect(response?.status(), path).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/nothing at this address|does not exist/);
    await expect(page.locator("#main").getByRole("link", { name: /^Go to/ })).toBeVisible();
  }
});

test("a portfolio is opened with the cash that was asked for", async ({ page }) => {
  await page.goto("/portfolios/main_portfolio");
  await page.getByRole("button", { name: "New portfolio" }).click();
  const dialog = page.getByRole("dialog", { name: "New portfolio" });
  await dialog.getByRole("button", { name: "Open the portfolio" }).click();
  await expect(dialog.getByRole("alert")).toHaveText("Give the portfolio a name.");
  await dialog.getByLabel("Name").fill("Second line");
  await dialog.getByLabel(/^Cash/).fill("$250,000.50");
  await dialog.getByRole("button", { name: "Open the portfolio" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Second line");
  await expect(page.getByText("$250,000.50").first()).toBeVisible();
  await page.getByRole("combobox", { name: "Portfolio" }).selectOption("Main portfolio");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Main portfolio");
});

/** Every page, with something on it. */
const pages = (): Record<string, string> => ({
  overview: "/",
  start: "/start",
  "form for a portfolio run": `/start?type=portfolio&portfolio=main_portfolio&flow=${analysis.flow}`,
  runs: "/runs",
  "no run that matches": "/runs?q=nothing-at-all",
  graph: `/runs/${analysis.run}`,
  "a node": `/runs/${analysis.run}?node=market_analyst`,
  timeline: `/runs/${analysis.run}?view=timeline`,
  transcript: `/runs/${analysis.run}?view=transcript`,
  events: `/runs/${analysis.run}?view=events`,
  chat: `/runs/${analysis.run}?view=chat`,
  "a moment of the past": `/runs/${analysis.run}?at=60`,
  "a question": `/runs/${asking.run}`,
  "an approval": `/runs/${pausing.run}`,
  "two runs": `/compare?left=${analysis.run}&right=${other.run}`,
  "trials of a step": `/trials?run=${analysis.run}&node=trader&visit=1`,
  portfolio: "/portfolios/main_portfolio",
  "not found": "/nowhere",
});

test.describe("everybody can use, in the dark and in the light", () => {
  test("every page", async ({ page, server, problems }) => {
    // Some twenty pages.
    test.setTimeout(300_000);
    problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
    const running = await slowRun(server);
    for (const [name, path] of Object.entries({ ...pages(), "a run at work": `/runs/${running}` })) {
      await test.step(name, async () => {
        await page.goto(path);
        await expect(page.locator("#main")).not.toContainText("Loading");
        await expectAccessible(page, name);
      });
    }
    await stop(server, running);
  });

  test("every dialog", async ({ page, server }) => {
    test.slow();
    const running = await slowRun(server);
    await page.goto(`/runs/${running}`);
    await page.getByRole("button", { name: "Stop" }).click();
    await expectAccessible(page, "stop");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await expectAccessible(page, "keys");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^Approve/ }).click();
    await page.getByRole("radio", { name: /^Chosen nodes/ }).check();
    await expectAccessible(page, "approve mode");
    await stop(server, running);
    await page.goto(`/runs/${analysis.run}`);
    await menu(page, "Fork").click();
    await expectAccessible(page, "places to fork");
    await menu(page, "Fork").getByRole("button", { name: /^Risk/ }).click();
    const fork = page.getByRole("dialog", { name: "Fork the run" });
    for (const fold of ["Other parameters", "Limits", "Approve mode"]) await fork.getByText(fold, { exact: true }).click();
    await fork.getByRole("combobox", { name: "Change an entry of the state" }).selectOption("market_report");
    await expect(fork.getByRole("textbox", { name: "market_report" })).toBeVisible();
    await expectAccessible(page, "fork");
    await page.goto(`/runs/${pausing.run}`);
    for (const act of ["Edit the state", "Send back", "Reject"]) {
      await asks(page).getByRole("button", { name: act }).first().click();
      await expectAccessible(page, act);
    }
    await page.goto("/");
    await page.getByRole("button", { name: "New portfolio" }).click();
    await expectAccessible(page, "new portfolio");
    await page.keyboard.press("Escape");
    await page.goto("/start");
    await page.getByRole("form", { name: "Start a run" }).getByRole("combobox", { name: "Ticker" }).fill("NOPE");
    await page.getByRole("button", { name: "Start the run" }).click();
    await expectAccessible(page, "form with faults");
    await page.getByText(/^More/).click();
    await page.getByRole("radio", { name: /^Chosen nodes/ }).check();
    await page.getByLabel("Tokens").fill("many");
    await expectAccessible(page, "form with all its fields");
  });
});

test("at 390 pixels no page scrolls sideways @mobile", async ({ page, problems }) => {
  test.slow();
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, path] of Object.entries(pages())) {
    await page.goto(path);
    await expect(page.locator("#main")).not.toContainText("Loading");
    const widths = await page.evaluate(() => {
      // The least that the page can be scrolled sideways, and what reaches beyond the edge.
      const tooWide = [...document.querySelectorAll("body *")].filter((element) => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && box.right > 391 && !element.closest("svg, dialog, .visually-hidden");
      });
      return { page: document.documentElement.scrollWidth, window: window.innerWidth, tooWide: tooWide.map((element) => element.className) };
    });
    expect(widths.page, `${name}: ${JSON.stringify(widths)}`).toBeLessThanOrEqual(390);
    expect(widths.window, name).toBe(390);
  }
});

test("on a phone a node is read in a sheet and closed again @mobile", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`/runs/${analysis.run}?view=timeline`);
  await page.getByRole("tabpanel").getByRole("button", { name: /Market analyst/ }).tap();
  const sheet = inspector(page);
  await expect(sheet.getByRole("heading", { name: "Market analyst" })).toBeInViewport();
  await sheet.getByRole("button", { name: "Close the inspector" }).tap();
  await expect(sheet.getByRole("heading", { name: "Market analyst" })).toHaveCount(0);
});

test("without JavaScript the whole run can be read @no-script", async ({ page, server }) => {
  const { summary, turns } = await runView(server, analysis.run);
  await page.goto(`/runs/${analysis.run}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · LLY · 2022-06-30");
  await expect(pill(page)).toHaveText("Done");
  await expect(cards(page)).toHaveCount(summary.nodes);
  await expect(card(page, "Portfolio manager")).toContainText("done");
  await expect(inspector(page).getByRole("article")).toContainText("Buy");

  await page.goto(`/runs/${analysis.run}?view=transcript`);
  await expect(turnsInSight(page)).toHaveCount(turns.length);
  await expect(turnsInSight(page).last()).toContainText(/Buy/);
  await page.goto(`/runs/${analysis.run}?node=market_analyst`);
  await expect(inspector(page)).toContainText("Figures used");

  await page.goto("/runs");
  await expect(page.getByRole("link", { name: "Pipeline · LLY · 2022-06-30" })).toBeVisible();
  await page.goto("/portfolios/main_portfolio");
  await expect(page.getByRole("row").filter({ hasText: "LLY" })).toContainText("320.40");
});

import { readFile } from "node:fs/promises";
import { type Page, expect, test } from "./fixtures";
import { card, fact, inspector, menu, pill, slider, transcript, viewTab } from "./run-page";
import { type Accepted, finishedPipeline, reaches, runView, startPipeline, stop, succeeded } from "./runs";

let analysis: Accepted;

test.beforeAll(async ({ server }) => {
  analysis = await finishedPipeline(server, "LLY", "2022-06-30");
});

const forkDialog = (page: Page) => page.getByRole("dialog", { name: /^(Re-run from here|Fork the run|Continue the run)$/ });

/** Starts what the dialog asks about, and returns the new run. */
async function startFork(page: Page, origin: string): Promise<string> {
  await forkDialog(page).getByRole("button", { name: "Start the new run" }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/runs/") && !url.pathname.endsWith(origin));
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

test.describe("a run is continued in a new one", () => {
  test("from a node with an edited state; both runs link to each other and are compared", async ({ page, server }) => {
    await page.goto(`/runs/${analysis.run}?node=trader`);
    await inspector(page).getByRole("button", { name: "Re-run from here" }).click();
    const dialog = forkDialog(page);
    await expect(dialog.getByRole("combobox", { name: "Continue" })).toContainText("from Trader on");
    await dialog.getByRole("combobox", { name: "Change an entry of the state" }).selectOption("market_report");
    await dialog.getByRole("textbox", { name: "market_report" }).fill("Rewritten by hand.");
    const fork = await startFork(page, analysis.run);
    await expect(pill(page)).toHaveText("Done");

    // Nothing before the trader was done again.
    const view = await succeeded(server, fork);
    const before = (await runView(server, analysis.run)).summary;
    expect(view.summary.origin?.run).toBe(analysis.run);
    expect(view.nodes.filter((node) => node.visits.some((visit) => !visit.inherited)).map((node) => node.plan.id)).toEqual(
      expect.arrayContaining(["trader", "portfolio_manager"]),
    );
    expect(view.nodes.find((node) => node.plan.id === "market_analyst")?.visits.every((visit) => visit.inherited)).toBe(true);
    await expect(card(page, "Market analyst")).toContainText("kept");
    expect(view.summary.totals.model_calls).toBe(before.totals.model_calls);

    // To the origin, and back.
    const crumbs = page.getByRole("navigation", { name: "Where this is" });
    await expect(crumbs).toContainText("from Trader on");
    await crumbs.getByRole("link", { name: /^run …/ }).click();
    await expect(page).toHaveURL(new RegExp(analysis.run));
    const continued = inspector(page).getByRole("listitem").filter({ hasText: "from Trader on" });
    await expect(continued).toContainText("Done");
    await continued.getByRole("link", { name: "compare" }).click();
    await expect(page).toHaveURL(`/compare?left=${analysis.run}&right=${fork}`);
    await expect(page.getByRole("article", { name: "market_report" })).toContainText("Rewritten by hand.");
    await expect(page.getByRole("table", { name: "Both runs" }).getByRole("row").filter({ hasText: "Status" })).toContainText("Done");
  });

  test("from each of the three phases; a second one while the first works is refused with a sentence", async ({ page, server, problems }) => {
    problems.tolerate(/Failed to load resource: the server responded with a status of 409/);
    const { run } = await finishedPipeline(server, "MRK", "2022-06-30");
    await page.goto(`/runs/${run}`);
    for (const [phase, first] of [["Analysts", "market_analyst"], ["Debate and trader", "screen"], ["Risk", "aggressive_analyst"]] as const) {
      await page.goto(`/runs/${run}`);
      await menu(page, "Fork").click();
      await menu(page, "Fork").getByRole("button", { name: new RegExp(`^${phase}`) }).click();
      const fork = await startFork(page, run);
      await expect(pill(page)).toHaveText("Done");
      const { nodes } = await succeeded(server, fork);
      expect(nodes.find((node) => node.visits.some((visit) => !visit.inherited))?.plan.id, phase).toBe(first);
    }

    // One that works for long, and once more the same.
    const slow = await server.fetch(`/api/v1/runs/${run}/forks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ point: { type: "phase", phase: "Analysts" }, model: { type: "rehearsal", characters_per_second: 30 } }),
    });
    expect(slow.status).toBe(201);
    await page.goto(`/runs/${run}?node=market_analyst`);
    await inspector(page).getByRole("button", { name: "Re-run from here" }).click();
    await forkDialog(page).getByRole("button", { name: "Start the new run" }).click();
    await expect(forkDialog(page).getByRole("alert")).toContainText(/re-run/i);
    await stop(server, ((await slow.json()) as Accepted).run);
  });

  test("after a node, as of another day", async ({ page, server }) => {
    await page.goto(`/runs/${analysis.run}?node=research_manager`);
    await inspector(page).getByRole("button", { name: "Fork after this" }).click();
    await forkDialog(page).getByText("Other parameters").click();
    await forkDialog(page).getByLabel("As of").fill("2022-07-15");
    const fork = await startFork(page, analysis.run);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · LLY · 2022-07-15");
    await succeeded(server, fork);
  });
});

test("a run that reached a limit says so, and is continued with a larger one", async ({ page, server }) => {
  const { run } = await startPipeline(server, "KO", "2022-06-30", { limits: { steps: 6, tokens: 50_000 } });
  await reaches(server, run, "failed");
  await page.goto(`/runs/${run}`);
  const reached = page.getByRole("alert").filter({ hasText: "The run failed." });
  await expect(reached).toContainText("6 steps");
  await expect(fact(page, "Tokens of 50.0k")).toBeVisible();
  await expect(page.getByRole("progressbar", { name: "Part of the tokens that is used" })).toBeVisible();
  await reached.getByRole("button", { name: "Continue" }).click();
  const dialog = page.getByRole("dialog", { name: "Continue the run" });
  await dialog.getByLabel("Steps").fill("many");
  await expect(dialog.getByRole("button", { name: "Start the new run" })).toBeDisabled();
  await dialog.getByLabel("Steps").fill("100");
  const fork = await startFork(page, run);
  await expect(pill(page)).toHaveText("Done");
  expect((await succeeded(server, fork)).summary.origin?.run).toBe(run);
});

test("limits are set in the start form, and what cannot be read is named", async ({ page, server }) => {
  await page.goto("/start");
  const form = page.getByRole("form", { name: "Start a run" });
  await form.getByText(/^More/).click();
  await form.getByLabel("Cost, US $").fill("a lot");
  await form.getByRole("button", { name: "Start the run" }).click();
  await expect(form.getByText(/^Write a number above 0/)).toBeVisible();
  await expect(form.getByLabel("Cost, US $")).toBeFocused();
  await form.getByLabel("Cost, US $").fill("0.50");
  await form.getByRole("radio", { name: "Fast" }).check();
  await form.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\//);
  await expect(fact(page, "Cost of \\$0.50")).toBeVisible();
  await expect(page.getByRole("progressbar", { name: "Part of the budget that is used" })).toBeVisible();
  await stop(server, new URL(page.url()).pathname.split("/").at(-1) ?? "");
});

test.describe("in time", () => {
  test("the run is seen as it was at an event, the address keeps it, and live returns", async ({ page, server }) => {
    const { seq } = (await runView(server, analysis.run)).summary;
    await page.goto(`/runs/${analysis.run}`);
    await expect(slider(page)).toBeEnabled();
    await slider(page).focus();
    await page.keyboard.press("Home");
    await expect(page.getByText(/^as of event 1,/)).toBeVisible();
    await expect(pill(page).first()).toHaveText("Queued");
    for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowRight");
    await expect(page.getByText(/^as of event 4,/)).toBeVisible();
    await expect(page).toHaveURL(/[?&]at=4$/);

    await page.keyboard.press("End");
    await expect(page.getByText(/^as of event/)).toHaveCount(0);
    await expect(pill(page)).toHaveText("Done");
    await expect(page).toHaveURL(`/runs/${analysis.run}`);

    // An address brings the moment back, rendered by the server.
    const middle = Math.floor(seq / 3);
    await page.goto(`/runs/${analysis.run}?at=${middle}`);
    await expect(page.getByText(new RegExp(`^as of event ${middle},`))).toBeVisible();
    await expect(card(page, "Portfolio manager")).toContainText("waiting");
    await expect(inspector(page).getByRole("article")).toHaveCount(0);
    await page.getByRole("button", { name: "Latest" }).click();
    await expect(card(page, "Portfolio manager")).toContainText("done");
    await expect(inspector(page).getByRole("article")).toContainText("Buy");
  });

  test("every event back from the end shows what the server says of that moment", async ({ page, server }) => {
    const { seq } = (await runView(server, analysis.run)).summary;
    await page.goto(`/runs/${analysis.run}`);
    await expect(slider(page)).toBeEnabled();
    await slider(page).focus();
    for (let back = 1; back <= 5; back += 1) {
      await page.keyboard.press("ArrowLeft");
      await expect(page.getByText(new RegExp(`^as of event ${seq - back},`))).toBeVisible();
    }
    const shown = await Promise.all(["Nodes", "Tokens"].map((name) => fact(page, name).innerText()));
    // The address follows once the slider stands still; on a slow machine it stood still before, too.
    await expect(page).toHaveURL(`/runs/${analysis.run}?at=${seq - 5}`);
    await page.reload();
    await expect(page.getByText(new RegExp(`^as of event ${seq - 5},`))).toBeVisible();
    expect(await Promise.all(["Nodes", "Tokens"].map((name) => fact(page, name).innerText()))).toEqual(shown);
  });

  test("it plays from the beginning to the end", async ({ page, server }) => {
    // Long enough to be seen while it plays.
    const { run } = await startPipeline(server, "MSFT", "2022-06-30", { charactersPerSecond: 5_000 });
    await succeeded(server, run);
    await page.goto(`/runs/${run}`);
    await page.getByRole("combobox", { name: "Speed" }).selectOption("1×");
    await page.getByRole("button", { name: "Play" }).click();
    await expect(page.getByText(/^as of event/)).toBeVisible();
    await expect(page.getByText(/^as of event/)).toHaveCount(0, { timeout: 30_000 });
    await expect(pill(page)).toHaveText("Done");
  });
});

test("two runs are chosen in the list and compared", async ({ page, server }) => {
  const other = await finishedPipeline(server, "XOM", "2022-06-30");
  await page.goto("/runs");
  const row = (run: string) => page.getByRole("row").filter({ has: page.locator(`a[href="/runs/${run}"]`) });
  await row(analysis.run).getByRole("checkbox").check();
  await expect(page.getByText("Choose one more run to compare")).toBeVisible();
  await row(other.run).getByRole("checkbox").check();
  await page.getByRole("link", { name: "Compare the two" }).click();
  await expect(page).toHaveURL(`/compare?left=${analysis.run}&right=${other.run}`);
  const table = page.getByRole("table", { name: "Both runs" });
  for (const name of ["Status", "Result", "Duration", "Cost", "Tokens"]) {
    await expect(table.getByRole("row").filter({ hasText: name }).first()).toBeVisible();
  }
  const left = (await runView(server, analysis.run)).summary.result ?? "";
  const right = (await runView(server, other.run)).summary.result ?? "";
  const results = table.getByRole("row").filter({ hasText: "Result" }).getByRole("cell");
  await expect(results).toHaveText(["Result", left, right]);
  await expect(page.getByRole("article", { name: "market_report" })).toBeVisible();
});

test("a run is compared with nothing: the page says what to do", async ({ page, problems }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  expect((await page.goto("/compare"))?.status()).toBe(404);
  await expect(page.getByText("Choose two runs on the page of runs, then compare them.")).toBeVisible();
});

test("a question beside a finished run is answered, and stays in its log", async ({ page, server }) => {
  const before = (await runView(server, analysis.run)).summary;
  await page.goto(`/runs/${analysis.run}`);
  await page.keyboard.press("c");
  const chat = page.getByRole("region", { name: "Chat beside the run" });
  await chat.getByRole("textbox", { name: "Your question" }).fill("Why was the rating chosen?");
  await page.keyboard.press("Enter");
  const exchange = chat.getByRole("article");
  await expect(exchange).toContainText("Why was the rating chosen?");
  await expect(exchange.locator(".turn-foot")).toContainText("rehearsal");
  await expect(chat.getByRole("textbox", { name: "Your question" })).toBeEmpty();
  const after = (await runView(server, analysis.run)).summary;
  expect([after.status, after.result, after.nodes]).toEqual([before.status, before.result, before.nodes]);
  await page.reload();
  await expect(exchange).toContainText("Why was the rating chosen?");
});

test("a question beside a finished run is seen in every open tab, and so is a second one at once", async ({ newTab, page, server }) => {
  const other = await newTab();
  for (const tab of [page, other]) {
    await tab.goto(`/runs/${analysis.run}?view=chat`);
    await expect(fact(tab, "Connection")).toHaveText("Complete");
  }
  const asked = (await runView(server, analysis.run)).chats.length;
  const box = page.getByRole("textbox", { name: "Your question" });
  for (const [index, question] of ["What did it leave out?", "And what speaks against it?"].entries()) {
    await box.fill(question);
    await page.keyboard.press("Enter");
    for (const tab of [page, other]) {
      const exchange = tab.getByRole("article").nth(asked + index);
      await expect(exchange).toContainText(question);
      await expect(exchange.locator(".turn-foot")).toContainText("rehearsal");
    }
  }
  // From question to question by keys, as from node to node in the other views.
  await viewTab(page, "Chat").focus();
  for (const [key, place] of [["j", 0], ["j", 1], ["k", 0]] as const) {
    await page.keyboard.press(key);
    await expect(page.getByRole("article").nth(place)).toBeFocused();
  }
});

test("a question beside a run at work is answered from its present state, and does not disturb it", async ({ page, server }) => {
  const { run } = await startPipeline(server, "KO", "2022-06-30", { charactersPerSecond: 150 });
  await page.goto(`/runs/${run}?view=chat`);
  const chat = page.getByRole("region", { name: "Chat beside the run" });
  await chat.getByRole("textbox", { name: "Your question" }).fill("How far are you?");
  await chat.getByRole("button", { name: "Ask" }).click();
  const exchange = chat.getByRole("article");
  await expect(exchange).toContainText("How far are you?");
  const answer = exchange.locator(".writing");
  await expect(answer).toHaveText(/\S{3}/);
  await expect(exchange.locator(".turn-foot")).toContainText("rehearsal", { timeout: 30_000 });
  const during = (await runView(server, run)).summary;
  expect(during.status).toBe("running");
  await stop(server, run);
  expect((await runView(server, run)).nodes.filter((node) => node.status === "failed")).toEqual([]);
});

test("a run is taken along as a file and taken in again; a file that is none is refused with a sentence", async ({ page, problems, server }, testInfo) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 422/);
  await page.goto(`/runs/${analysis.run}`);
  const save = async (name: string) => {
    await menu(page, "Export").locator("summary").click();
    const download = page.waitForEvent("download");
    await menu(page, "Export").getByRole("link", { name }).click();
    const path = testInfo.outputPath((await download).suggestedFilename());
    await (await download).saveAs(path);
    return path;
  };
  const lines = await save("JSON Lines");
  const html = await save("HTML file");
  expect(lines.endsWith(`${analysis.run}.jsonl`)).toBe(true);
  expect((await readFile(lines, "utf8")).trim().split("\n").length).toBeGreaterThan(100);
  expect(await readFile(html, "utf8")).toContain("Pipeline · LLY · 2022-06-30");

  await page.goto("/runs");
  await page.getByLabel("File of a run").setInputFiles(html);
  await expect(page.getByRole("alert")).toContainText(".html” was not imported.");
  await page.getByLabel("File of a run").setInputFiles(lines);
  await page.waitForURL(/\/runs\/.+/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · LLY · 2022-06-30");
  await expect(pill(page)).toHaveText("Done");
  const imported = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  expect(imported).not.toBe(analysis.run);
  await viewTab(page, "Transcript").click();
  await expect(transcript(page)).toContainText("Market analyst");
  expect((await runView(server, imported)).summary.result).toBe((await runView(server, analysis.run)).summary.result);
});

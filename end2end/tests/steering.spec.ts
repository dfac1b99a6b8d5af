import { expectAccessible } from "./accessible";
import { type Page, expect, test } from "./fixtures";
import { asks, card, expectSaid, pill, transcript } from "./run-page";
import { reaches, runView, startPipeline, openPortfolio, startPortfolioRun, finishedPipeline, stop, succeeded } from "./runs";

const ask = (page: Page, question: string) => asks(page).getByRole("article", { name: question });

const risk = "How much risk suits you here?";

test.describe("stopping", () => {
  test("the key s stops a run at work, and header and transcript say who and why", async ({ page, server }) => {
    const { run } = await startPipeline(server, "MSFT", "2022-06-30", { charactersPerSecond: 60 });
    await page.goto(`/runs/${run}`);
    await expect(pill(page)).toContainText("Running");
    await page.keyboard.press("s");
    const dialog = page.getByRole("dialog", { name: "Stop this run?" });
    await dialog.getByLabel(/^Reason/).fill("the wrong ticker");
    await dialog.getByRole("button", { name: "Stop the run" }).click();
    await expect(pill(page)).toHaveText("Stopped");
    await expect(page.getByText("The run was stopped. Stopped by you: the wrong ticker.")).toBeVisible();
    await expectSaid(page, "Stopped by you: the wrong ticker");
    expect((await runView(server, run)).summary.status).toBe("cancelled");
  });

  test("a run that waits for a person is stopped as well, and asks no more", async ({ page, server }) => {
    const { run } = await startPipeline(server, "KO", "2022-06-30", { questions: true });
    await page.goto(`/runs/${run}`);
    await expect(ask(page, risk)).toBeVisible();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("dialog", { name: "Stop this run?" }).getByRole("button", { name: "Stop the run" }).click();
    await expect(pill(page)).toHaveText("Stopped");
    await expect(asks(page)).toHaveCount(0);
    await expectSaid(page, "It was never answered.");
    await expect(transcript(page)).toContainText("Stopped by you.");
  });
});

test.describe("a question", () => {
  test("stands on the run, on the overview and in the tab's title; the first answer is everybody's", async ({ page, newTab, server }) => {
    await page.goto("/");
    await expect(page).toHaveTitle("Pitwall");
    const { run } = await startPipeline(server, "AAPL", "2022-06-30", { questions: true });
    await expect(page).toHaveTitle("(1) Pitwall");
    const waiting = page.getByRole("region", { name: "Needs you" }).getByRole("listitem");
    await expect(waiting).toContainText(risk);
    await expect(waiting).toContainText(/\d\d:\d\d left/);
    await waiting.getByRole("link", { name: "Pipeline · AAPL · 2022-06-30" }).click();

    const question = ask(page, risk);
    await expect(question).toContainText("Trader");
    await expect(question).toContainText("The data cannot tell what a person can bear.");
    await expect(question).toContainText(/\d\d:\d\d left/);
    await expect(question).toContainText(/then the answer is "Nobody answered in time/);
    await expect(card(page, "Trader")).toContainText("needs you");

    const other = await newTab();
    await other.goto(`/runs/${run}`);
    await ask(other, risk).getByRole("radio", { name: "More" }).check();

    await question.getByRole("radio", { name: "Less" }).check();
    await question.getByRole("button", { name: "Answer" }).click();
    for (const tab of [page, other]) {
      await expect(tab.getByRole("status").filter({ hasText: /^Answered\. You: Less$/ })).toBeVisible();
      await expect(asks(tab)).toHaveCount(0);
      await expect(pill(tab)).toHaveText("Done");
      await expect(tab).toHaveTitle("Pipeline · AAPL · 2022-06-30 · Pitwall");
    }
    await expectSaid(other, /You: Less/);
  });

  test("is answered once: the second answer is refused with a sentence", async ({ page, newTab, server, problems }) => {
    problems.tolerate(/Failed to load resource: the server responded with a status of 409/);
    const { run } = await startPipeline(server, "PEP", "2022-06-30", { questions: true });
    // This tab hears nothing of the other one, by a socket or without.
    await page.routeWebSocket(/\/ws\/v1\/runs\//, () => {});
    await page.route(/\/ws\/v1\/runs\//, () => {});
    await page.goto(`/runs/${run}`);
    await reaches(server, run, "waiting");
    await page.reload();
    const other = await newTab();
    await other.goto(`/runs/${run}`);
    await ask(other, risk).getByRole("radio", { name: "More" }).check();
    await ask(other, risk).getByRole("button", { name: "Answer" }).click();
    await expect(pill(other)).toHaveText("Done");

    await ask(page, risk).getByRole("radio", { name: "Less" }).check();
    await ask(page, risk).getByRole("button", { name: "Answer" }).click();
    await expect(ask(page, risk).getByRole("alert")).toContainText(/^Not taken: /);
  });

  test("shows the server's reason where it does not take an answer, and keeps what was chosen", async ({ page, server, problems }) => {
    problems.tolerate(/Failed to load resource: the server responded with a status of 422/);
    const { run } = await startPipeline(server, "XOM", "2022-06-30", { questions: true });
    await page.goto(`/runs/${run}`);
    await page.route("**/rpc/answer_input*", async (route) => {
      const body = route.request().postData()?.replace("Less", "Never") ?? "";
      await route.continue({ postData: body });
    });
    const question = ask(page, risk);
    await question.getByRole("radio", { name: "Less" }).check();
    await question.getByRole("button", { name: "Answer" }).click();
    await expect(question.getByRole("alert")).toHaveText("Not taken: Choose one of: As proposed, Less, More.");
    await expect(question.getByRole("radio", { name: "Less" })).toBeChecked();
    await page.unroute("**/rpc/answer_input*");
    await question.getByRole("button", { name: "Answer" }).click();
    await expect(pill(page)).toHaveText("Done");
  });
});

test.describe("the approve mode", () => {
  test("is chosen in the start form; the run shows the state and goes on when approved", async ({ page }) => {
    await page.goto("/start");
    const form = page.getByRole("form", { name: "Start a run" });
    await form.getByRole("combobox", { name: "Ticker" }).fill("MRK");
    await form.getByRole("combobox", { name: "Ticker" }).press("Enter");
    await form.getByLabel("As of").fill("2022-06-30");
    await form.getByRole("radio", { name: "Fast" }).check();
    await form.getByText(/^More/).click();
    await form.getByRole("radio", { name: /^Chosen nodes/ }).check();
    await form.getByRole("checkbox", { name: "Research manager" }).check();
    await form.getByRole("button", { name: "Start the run" }).click();

    const pause = ask(page, 'May "Research manager" begin?');
    await expect(pause).toBeVisible({ timeout: 20_000 });
    await expect(page.getByRole("button", { name: /Approve: 1 node/ })).toBeVisible();
    await pause.getByText(/^The state that it gets/).click();
    await expect(pause.getByRole("heading", { name: "market_report" })).toBeVisible();
    await pause.getByRole("button", { name: "Approve" }).click();
    await expect(pill(page)).toHaveText("Done", { timeout: 20_000 });
    await expectSaid(page, "You: approved");
  });

  test("is changed while the run works", async ({ page, server }) => {
    const { run } = await startPipeline(server, "LLY", "2022-06-30", { approval: { type: "nodes", nodes: ["screen"] } });
    await page.goto(`/runs/${run}`);
    await expect(ask(page, 'May "Critical screen" begin?')).toBeVisible();
    await page.getByRole("button", { name: /Approve: 1 node/ }).click();
    const dialog = page.getByRole("dialog", { name: "Approve mode" });
    await dialog.getByRole("radio", { name: /^Off/ }).check();
    await dialog.getByRole("button", { name: "Set the mode" }).click();
    await expect(dialog).toBeHidden();
    await expect(pill(page)).toHaveText("Done");
    await expectSaid(page, "You changed the approve mode: no pauses.");
  });

  test("lets a person edit the state and go on", async ({ page, server }) => {
    const { run } = await startPipeline(server, "KO", "2022-06-30", { approval: { type: "nodes", nodes: ["trader"] } });
    await page.goto(`/runs/${run}`);
    const pause = ask(page, 'May "Trader" begin?');
    await pause.getByRole("button", { name: "Edit the state" }).click();
    const keys = pause.getByRole("combobox", { name: "Change an entry of the state" });
    // A list is JSON; what is none is not sent.
    await keys.selectOption("investment_debate");
    await pause.getByRole("textbox", { name: "investment_debate" }).fill("[ nonsense");
    await expect(pause.getByText(/^This is not valid JSON/)).toBeVisible();
    await expect(pause.getByRole("button", { name: "Change the state and go on" })).toBeDisabled();
    await pause.getByRole("button", { name: "Leave investment_debate as it is" }).click();
    // A text reads as it is.
    await keys.selectOption("market_report");
    const report = pause.getByRole("textbox", { name: "market_report" });
    await expect(report).not.toHaveValue("");
    await report.fill("The market report, rewritten by hand.");
    await pause.getByRole("button", { name: "Change the state and go on" }).click();
    await expect(pill(page)).toHaveText("Done");
    await expectSaid(page, "You: approved with changes: market_report");
    const { state } = (await runView(server, run)) as unknown as { state: Record<string, { value: string }[]> };
    expect(JSON.stringify(state.market_report)).toContain("rewritten by hand");
  });

  test("lets a person send the work back with a comment", async ({ page, server }) => {
    const { run } = await startPipeline(server, "PFE", "2022-06-30", { approval: { type: "nodes", nodes: ["trader"] } });
    await page.goto(`/runs/${run}`);
    const pause = ask(page, 'May "Trader" begin?');
    await pause.getByRole("button", { name: "Send back" }).click();
    await pause.getByLabel("What it shall do differently").fill("Name the level at which you are wrong.");
    await pause.getByRole("button", { name: "Send back", exact: true }).last().click();
    // The manager has worked again, and the same question stands anew.
    await expect(pause).toBeVisible();
    await expectSaid(page, "Name the level at which you are wrong.");
    await pause.getByRole("button", { name: "Approve" }).click();
    await expect(pill(page)).toHaveText("Done");
    const manager = (await runView(server, run)).nodes.find((node) => node.plan.id === "research_manager");
    expect(manager?.visits.map((visit) => visit.number)).toEqual([1, 2]);
  });

  test("lets a person take another route, or reject and end the run", async ({ page, server }) => {
    const { run } = await startPipeline(server, "WMT", "2022-06-30", { approval: { type: "nodes", nodes: ["bull_researcher", "portfolio_manager"] } });
    await page.goto(`/runs/${run}`);
    const debate = ask(page, 'May "Bull researcher" begin?');
    await debate.getByRole("button", { name: "Another route" }).click();
    await debate.getByRole("combobox", { name: "On to" }).selectOption("Portfolio manager");
    await debate.getByRole("button", { name: "Take this route" }).click();
    const decision = ask(page, 'May "Portfolio manager" begin?');
    await decision.getByRole("button", { name: "Reject" }).click();
    await decision.getByLabel(/^Reason/).fill("too thin");
    await decision.getByRole("button", { name: "Reject and end the run" }).click();
    await expect(asks(page)).toHaveCount(0);
    await expect(pill(page)).toHaveText(/Stopped|Failed/);
    await expectSaid(page, "rejected: too thin");
    await expectSaid(page, "sent on to portfolio_manager");
  });

  test("shows the exact orders before trades, and executes what was approved", async ({ page, server }) => {
    const analysis = await finishedPipeline(server, "LLY", "2022-06-30");
    const approval = { type: "nodes" as const, nodes: ["execute_trades"] };
    const portfolio = await openPortfolio(server, `approved_${Date.now()}`);
    const { run } = await startPortfolioRun(server, "2022-06-30", { flow: analysis.flow, approval }, portfolio);
    await page.goto(`/runs/${run}`);
    const pause = ask(page, 'May "Execute trades" begin?');
    const orders = pause.getByRole("table", { name: "Orders to approve" }).getByRole("row").filter({ hasText: "LLY" });
    await expect(orders).toContainText(/buy/i);
    await expectAccessible(page, "orders");
    const shares = await orders.getByRole("cell").nth(2).innerText();
    // What is approved is named by its digest.
    await expect(pause.getByTitle(/good for exactly this/)).toContainText(/[0-9a-f]{12}/);
    await pause.getByRole("button", { name: "Approve" }).click();
    await expect(pill(page)).toHaveText("Done");
    await succeeded(server, run);
    const { trades } = (await (await server.fetch(`/api/v1/portfolios/${portfolio}`)).json()) as { trades: { ticker: string; quantity: string }[] };
    expect(trades.map(({ ticker, quantity }) => `${ticker} ${Number(quantity)}`)).toEqual([`LLY ${Number(shares)}`]);
  });
});

test.afterEach(async ({ server }) => {
  const response = await server.fetch("/api/v1/runs?limit=200");
  const { runs } = (await response.json()) as { runs: { run: string; status: string }[] };
  const open = runs.filter(({ status }) => ["queued", "running", "waiting"].includes(status));
  await Promise.all(open.map(({ run }) => stop(server, run)));
});

import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { cards, expectSaid, fact, pill, viewTab } from "./run-page";
import { reaches, succeeded, unpaced } from "./runs";

/** Runs the sample of a kind, as it stands on the start page, to its end. */
async function runSample(page: Page, kind: string): Promise<void> {
  await page.goto(`/start?type=${kind}`);
  await page.getByRole("button", { name: "Run the sample" }).click();
  await page.waitForURL(/\/runs\//);
  await expect(pill(page)).toHaveText("Done", { timeout: 45_000 });
}

test("a task is planned, its plan is ticked off, and its report is written anew", async ({ page }) => {
  test.slow();
  await runSample(page, "task");
  await viewTab(page, "Transcript").click();
  const plan = page.locator(".task-plan");
  await expect(plan.getByRole("listitem").first()).toBeVisible();
  await expectSaid(page, /no prices/i);

  await page.getByRole("link", { name: "Write it anew …" }).first().click();
  await page.waitForURL(/\/start\?/);
  const form = page.getByRole("form", { name: "Start a run" });
  await form.getByLabel("Instruction").fill("Rewrite the summary to focus only on Tesla's stock volatility.");
  await form.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\//);
  await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
});

test("nodes that join a run while its page is open are drawn in each view", async ({ newTab, server }) => {
  const accepted = await server.fetch("/api/v1/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      workflow: { type: "task", request: "Compare the prices of Apple and Microsoft in June 2022." },
      model: { type: "rehearsal", characters_per_second: unpaced },
      approval: { type: "nodes", nodes: ["planner"] },
    }),
  });
  expect(accepted.status).toBe(201);
  const { run } = (await accepted.json()) as { run: string };
  await reaches(server, run, "waiting");
  const [drawn, timed, listed] = [await newTab(), await newTab(), await newTab()];
  for (const [tab, view] of [[drawn, "Graph"], [timed, "Timeline"], [listed, "Events"]] as const) {
    await tab.goto(`/runs/${run}`);
    await viewTab(tab, view).click();
    await expect(fact(tab, "Connection")).toHaveText("Live");
  }
  await expect(cards(drawn)).toHaveCount(2);
  const choices = listed.getByRole("combobox", { name: "Node" }).locator("option");
  await expect(choices).toHaveCount(3);

  await drawn.getByRole("button", { name: "Approve", exact: true }).first().click();
  const { nodes } = await succeeded(server, run);
  const steps = nodes.filter(({ plan }) => plan.id.startsWith("step_"));
  expect(steps.length).toBeGreaterThan(0);
  await expect(cards(drawn)).toHaveCount(nodes.length);
  await expect(timed.locator(".timeline-line")).toHaveCount(nodes.length);
  await expect(choices).toHaveCount(nodes.length + 1);
});

test("a team works, who speaks next is seen, and it is given out as a file", async ({ page, server }) => {
  test.slow();
  await runSample(page, "team");
  await expectSaid(page, /speaks in turn 1/);
  await viewTab(page, "Transcript").click();

  const file = {
    provider: "autogen_agentchat.teams.RoundRobinGroupChat",
    component_type: "team",
    version: 1,
    component_version: 1,
    description: "Two who answer",
    label: "Brought along",
    config: {
      participants: ["first", "second"].map((name) => ({
        provider: "autogen_agentchat.agents.AssistantAgent",
        component_type: "agent",
        version: 1,
        component_version: 1,
        label: name,
        config: {
          name,
          model_client: {
            provider: "autogen_ext.models.replay.ReplayChatCompletionClient",
            component_type: "replay_chat_completion_client",
            version: 1,
            component_version: 1,
            config: { chat_completions: [`${name} has answered.`] },
          },
          description: "An assistant",
          system_message: "You answer.",
        },
      })),
      termination_condition: {
        provider: "autogen_agentchat.conditions.MaxMessageTermination",
        component_type: "termination",
        version: 1,
        component_version: 1,
        config: { max_messages: 3 },
      },
    },
  };
  await page.goto("/teams");
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("region", { name: "Import teams" }).getByRole("button").first().click();
  await (await chooser).setFiles({ name: "team.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) });
  await expect(page.getByRole("status").getByText("Brought along").first()).toBeVisible();
  await expect(page.getByRole("table").getByText("Brought along").first()).toBeVisible();

  const documents = (await (await server.fetch("/api/v1/documents?kind=team")).json()) as { documents: { id: string; title: string }[] };
  const team = documents.documents.find(({ title }) => title === "Brought along");
  await page.goto(`/documents/${team?.id}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Brought along");
  await page.goto(`/teams/${team?.id}`);
  await expect(page.getByRole("main")).toContainText("AutoGen");
  const form = page.getByRole("form", { name: "The team" });
  await expect(form.getByText("It ends after 3 messages, the task among them.")).toBeVisible();
  await form.getByLabel("What it is for").fill("Changed in the form.");
  await form.getByLabel("What it is for").blur();
  await form.getByRole("button", { name: "Save a version" }).click();
  await expect(form.getByRole("status").first()).toHaveText("Version 2");
  const saved = (await (await server.fetch(`/api/v1/documents/${team?.id}`)).json()) as { content: { team: { description: string } } };
  expect(saved.content.team.description).toBe("Changed in the form.");
});

test("a backtest ends with a page that says how much it can mean, and leaves the lists to what people started", async ({ page, server }) => {
  test.slow();
  // A quarter of decisions at the pace of a person who reads along takes minutes.
  const options = (await (await server.fetch("/api/v1/start-options")).json()) as { kinds: { spec: { kind: string }; sample: object }[] };
  const workflow = options.kinds.find(({ spec }) => spec.kind === "backtest")?.sample;
  const response = await server.fetch("/api/v1/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ workflow, model: { type: "rehearsal", characters_per_second: unpaced } }),
  });
  const { run } = (await response.json()) as { run: string };
  await succeeded(server, run);
  await page.goto(`/backtests/${run}`);
  await expect(page.getByRole("region", { name: "How much this can mean" })).toBeVisible();
  for (const name of ["Equity and drawdown", "Key figures", "Months", "Decisions"]) {
    await expect(page.getByRole("heading", { name })).toBeVisible();
  }
  for (const line of [0, 1]) await expect(page.locator("svg.chart path.line.run").nth(line)).toHaveAttribute("d", /^M/);
  const slider = page.getByLabel(/^Day to read off/);
  await slider.focus();
  const before = await page.locator(".backtest-readings").innerText();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(() => page.locator(".backtest-readings").innerText()).not.toBe(before);

  await page.goto("/runs?kind=backtest_day");
  await expect(page.getByText("Backtest day").locator("visible=true").filter({ hasText: /·/ })).toHaveCount(0);
  await page.getByLabel("Also runs that others have started").check();
  await expect(page).toHaveURL(/below=1/);
  await expect(page.getByRole("link", { name: /^Backtest day · / }).first()).toBeVisible();
});

test("lessons are learnt from ratings and listed", async ({ page }) => {
  test.slow();
  await runSample(page, "reflect");
  await page.goto("/lessons");
  await expect(page.getByRole("heading", { name: "Lessons", level: 1 })).toBeVisible();
});

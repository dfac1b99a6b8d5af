import { expect, test } from "./fixtures";
import { pill } from "./run-page";

const request = "Analyze the stock performance of Apple, Google, and Tesla over the last month and summarize the key findings.";
const instruction = "Rewrite the summary to focus only on Tesla's stock volatility.";

test("a session is asked while it works, refined, and gone back in", async ({ page }) => {
  test.slow();
  await page.goto("/tasks");
  await page.getByLabel("What is to be done?").fill(request);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForURL(/\/tasks\/.+/);

  const message = page.locator("#task-message");
  const steps = page.getByRole("group", { name: "Steps of the plan" });
  await expect(pill(page)).toContainText("Executing", { timeout: 30_000 });
  await expect(page.getByText("Ask the clarifier")).toBeVisible();
  await message.fill("What is the current status?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const said = page.getByRole("log", { name: "What was said" });
  await expect(said).toContainText("The run stands at", { timeout: 10_000 });
  await expect(message).toHaveValue("");

  await expect(pill(page)).toHaveText("Report ready", { timeout: 45_000 });
  await expect(steps.getByText("done").first()).toBeVisible();
  await expect(steps).toContainText("There are no prices of Google");
  const report = page.getByRole("group", { name: "The report" });
  await expect(report).toContainText("AAPL");

  await expect(page.getByText("Refine report 1")).toBeVisible();
  await message.fill(instruction);
  await message.press("Enter");
  await expect(page.getByRole("heading", { name: "Report 2" })).toBeVisible({ timeout: 15_000 });
  await expect(pill(page)).toHaveText("Report ready", { timeout: 30_000 });
  await expect(report).toContainText("There are no prices of Tesla");
  await expect(report).not.toContainText("AAPL");

  // Back to the first report: it is looked at, and gone on from.
  const versions = page.getByRole("region", { name: "Versions" });
  await versions.getByRole("button", { name: "Open" }).click();
  await expect(report).toContainText("AAPL");
  // What both have otherwise.
  await versions.getByRole("button", { name: "Compare" }).click();
  await expect(report.locator("ins").first()).toBeVisible();
  await expect(report.locator("del").first()).toBeVisible();
  await report.getByRole("button", { name: "Close" }).click();
  await expect(report).toContainText("AAPL");
  await versions.getByRole("button", { name: "Go on from 1" }).click();
  await expect(message).toBeFocused();
  await expect(page.getByText("Refine report 1")).toBeVisible();
  await page.getByRole("button", { name: "New task" }).click();
  await expect(page.getByRole("button", { name: "Start", exact: true })).toBeVisible();
});

test("a task is stopped once it was asked whether that is meant, and the conversation is taken along", async ({ page, server }) => {
  const started = await server.fetch("/api/v1/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ workflow: { type: "task", request }, flow: "to-be-stopped", model: { type: "rehearsal", characters_per_second: 20 } }),
  });
  expect(started.status).toBe(201);
  await page.goto("/tasks/to-be-stopped");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  const question = page.getByRole("dialog", { name: "Stop this task?" });
  await question.getByRole("button", { name: "Let it run" }).click();
  await expect(question).toBeHidden();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await question.getByRole("button", { name: "Stop the task" }).click();
  await expect(pill(page)).toHaveText("Ended with an error", { timeout: 20_000 });
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Conversation" }).click();
  expect((await download).suggestedFilename()).toBe("conversation-to-be-stopped.md");
});

test("on a phone the parts of a session are shown one at a time @mobile", async ({ page, server }) => {
  test.slow();
  const started = await server.fetch("/api/v1/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      workflow: { type: "task", request },
      flow: "w".repeat(64),
      model: { type: "rehearsal", characters_per_second: 0 },
    }),
  });
  expect(started.status).toBe(201);
  await page.goto(`/tasks/${"w".repeat(64)}`);
  await expect(pill(page)).toHaveText("Report ready", { timeout: 30_000 });
  const wider = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  for (const [part, heading] of [["Plan", "Plan"], ["Report", "Report 1"], ["Chat", "Conversation"], ["Versions", /^Versions/]] as const) {
    await page.getByRole("button", { name: part, exact: true }).click();
    await expect(page.getByRole("heading", { level: 2, name: heading })).toBeVisible();
    await expect(page.locator("#task-message")).toBeVisible();
    expect(await wider(), part).toBe(0);
  }
});

import { type Page, expect, test } from "./fixtures";
import { inspector } from "./run-page";
import { type Accepted, finishedPipeline, runView } from "./runs";

let analysis: Accepted;

test.beforeAll(async ({ server }) => {
  analysis = await finishedPipeline(server, "LLY", "2022-06-30");
});

const form = (page: Page) => page.getByRole("form", { name: "What to try" });
const results = (page: Page) => page.getByRole("region", { name: "Results" }).getByRole("article");

test("a step is tried in two variants from its inspector, after its cost was shown @mobile", async ({ page, server }) => {
  await page.goto(`/runs/${analysis.run}?node=portfolio_manager`);
  await inspector(page).getByRole("link", { name: "Try variants" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Trials of Portfolio manager");
  await expect(results(page)).toHaveCount(1);
  await expect(results(page).first()).toContainText("As it was");
  await expect(page.getByText("Nothing was tried yet.")).toBeVisible();

  await form(page).getByRole("button", { name: "Add a variant" }).click();
  const second = form(page).getByRole("group", { name: "Variant B" });
  await second.getByText("The system message").click();
  await second.getByRole("textbox", { name: "What the system message says" }).fill("You rate one stock. Answer with the object alone.");
  await expect(second).toContainText("The system message, changed");
  await second.getByRole("textbox", { name: "Temperature" }).fill("0.3");
  await form(page).getByRole("spinbutton", { name: "Tries of each" }).fill("2");

  await form(page).getByRole("button", { name: "Estimate the cost" }).click();
  await expect(form(page).getByRole("status")).toContainText("4 trials will cost: about $0");
  await form(page).getByRole("button", { name: "Start the trials" }).click();
  await expect(results(page)).toHaveCount(5);
  for (const result of (await results(page).all()).slice(1)) {
    await expect(result).toContainText("Done");
    await expect(result).toContainText("Tokens");
  }
  await expect(results(page).nth(3)).toContainText("temperature 0.3, 1 changed message");

  // Each is a run of its own, which made that step alone.
  await results(page).nth(3).getByRole("link", { name: "Variant B, try 1 of 2" }).click();
  await expect(page).toHaveURL(/\/runs\//);
  const run = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const view = await runView(server, run);
  expect(view.nodes.filter((node) => node.visits.some((visit) => !visit.inherited)).map((node) => node.plan.id)).toEqual([
    "portfolio_manager",
  ]);
});

test("what is changed after an estimate is estimated anew before it can be started", async ({ page }) => {
  await page.goto(`/trials?run=${analysis.run}&node=trader&visit=1`);
  await form(page).getByRole("button", { name: "Estimate the cost" }).click();
  await expect(form(page).getByRole("button", { name: "Start the trials" })).toBeVisible();
  const temperature = form(page).getByRole("textbox", { name: "Temperature" });
  await temperature.fill("7");
  await expect(form(page).getByText("A temperature is a number from 0 to 2")).toBeVisible();
  await expect(form(page).getByRole("button", { name: "Estimate the cost" })).toBeDisabled();
  await temperature.fill("0.7");
  await expect(form(page).getByRole("button", { name: "Estimate the cost" })).toBeEnabled();
  await form(page).getByRole("spinbutton", { name: "Tries of each" }).fill("21");
  await expect(form(page).getByText("are more than 20 trials")).toBeVisible();
});

test("a page of trials without a step says what to do", async ({ page, problems }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  expect((await page.goto("/trials"))?.status()).toBe(404);
  await expect(page.getByText("Choose a step on the page of a run, then try variants of it.")).toBeVisible();
});

import { expect, test } from "./fixtures";
import { importRun, nestedRunFile } from "./run-files";
import { card, cards, expectSaid, expectTurns, fact, graph, inspector, turnsInSight, viewTab } from "./run-page";
import type { Server } from "./server";

// Graphs with groups, and runs that are larger than what fits into a document.

const most = 5_000;

let run: string;

test.beforeAll(async ({ server }: { server: Server }) => {
  run = await importRun(server, nestedRunFile(6, 5, 20));
});

const elements = "document.querySelectorAll('*').length";

test("groups are folded in a large graph, open by a button and a key, and all fold again", async ({ page }) => {
  await page.goto(`/runs/${run}`);
  await expect(fact(page, "Nodes")).toContainText("636");
  // Six cards of sections, each with a button that opens it.
  await expect(graph(page).locator(".node-card")).toHaveCount(6);
  await expect(card(page, "Section 2")).toContainText("100 of 100 done");
  await expect(card(page, "Section 2")).toContainText("$1.00");

  await page.getByRole("button", { name: "Open Section 2" }).click();
  await expect(card(page, "Part 2.3")).toContainText("20 of 20 done");
  await page.getByRole("button", { name: "Open Part 2.3" }).click();
  await expect(card(page, "Question 2.3.7")).toContainText("done");
  await card(page, "Question 2.3.7").click();
  await expect(inspector(page)).toContainText("This answers Question 2.3.7.");
  const path = page.getByRole("navigation", { name: "Groups" });
  await expect(path.getByRole("listitem")).toHaveText(["Section 2", "Part 2.3", "Question 2.3.7"]);

  // The key folds the group that the selection is within, and selects it.
  await page.keyboard.press("o");
  await expect(card(page, "Question 2.3.7")).toHaveCount(0);
  await expect(inspector(page).getByRole("heading", { level: 2 })).toHaveText("Part 2.3");
  await page.keyboard.press("o");
  await expect(card(page, "Question 2.3.7")).toBeVisible();
  await path.getByRole("button", { name: "Fold all" }).click();
  await expect(graph(page).locator(".node-card")).toHaveCount(6);
});

test("a node is found by its name wherever it is folded away, and there is a map", async ({ page }) => {
  await page.goto(`/runs/${run}`);
  await expect(page.getByRole("img", { name: /^Map of the graph/ })).toBeVisible();
  await page.keyboard.press("n");
  const field = page.getByRole("combobox", { name: "Find a node" });
  await expect(field).toBeFocused();
  await field.pressSequentially("question 5.4.1");
  const found = page.getByRole("listbox", { name: "Found nodes" }).getByRole("option");
  await expect(found).toHaveCount(8);
  await expect(found.first()).toContainText("Section 5 › Part 5.4");
  await expect(page.getByText("and 3 more: type more of the name")).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(inspector(page).getByRole("heading", { level: 2 })).toHaveText("Question 5.4.10");
  await expect(card(page, "Question 5.4.10")).toBeInViewport();
  await expect(page).toHaveURL(/node=report%2F5%2F4%2F10|node=report\/5\/4\/10/);
  await field.fill("nothing is called so");
  await expect(page.getByText("No node has this in its name.")).toBeVisible();
});

test("no view of a large run has more elements than a document can take, and all of it is found", async ({ page }) => {
  await page.goto(`/runs/${run}`);
  await expect(cards(page).first()).toBeVisible();
  expect(await page.evaluate(elements)).toBeLessThan(most);
  for (const view of ["Timeline", "Transcript", "Events", "Graph"]) {
    await viewTab(page, view).click();
    await page.waitForTimeout(200);
    expect(await page.evaluate(elements), view).toBeLessThan(most);
  }
  await viewTab(page, "Transcript").click();
  await expectTurns(page, 600);
  const find = page.getByRole("searchbox", { name: "Find in the transcript" });
  await find.fill("This answers Question 6.5.20.");
  await find.press("Enter");
  await expect(turnsInSight(page).filter({ hasText: "This answers Question 6.5.20." })).toBeInViewport();
  expect(await page.evaluate(elements)).toBeLessThan(most);

  await viewTab(page, "Timeline").click();
  const rows = page.getByRole("tabpanel").locator(".timeline-row");
  await expect(rows.first()).toContainText("Section 1");
  await page.getByRole("button", { name: "Fold Part 1.1" }).click();
  await expect(rows.nth(1)).toContainText("Part 1.1");
  await expect(rows.nth(2)).toContainText("Part 1.2");
});

test("what an automatic run starts is listed with how it ended, and each way leads back", async ({ page }) => {
  test.setTimeout(120_000);
  await page.goto("/start?type=auto&max_tickers=2");
  await page.getByRole("radio", { name: "Fast" }).check();
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\//);
  const parent = page.url();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Auto · /);
  await expect(page.locator(".run-title .pill")).toHaveText("Done", { timeout: 90_000 });
  await expect(inspector(page)).toContainText(/2 of 2 analysed/);
  // What the runs below have used adds up here.
  await expect(fact(page, "Tokens")).toHaveText(/^\d\d,\d{3}$/);
  // The scan, two analyses, and the portfolio's run.
  await expect(inspector(page).locator(".sub-run")).toHaveCount(4);
  const first = inspector(page).locator(".sub-run").filter({ hasText: "Pipeline" }).first();
  await expect(first).toContainText("Done");
  await first.getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Pipeline · /);
  await page.getByRole("navigation", { name: "Where this is" }).getByRole("link", { name: /^run …/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Auto · /);
  expect(page.url().split("?")[0]).toBe(parent.split("?")[0]);
  await expectSaid(page, /orders executed/);

  // The same side by side, below the phases that started them.
  await viewTab(page, "Runs").click();
  const rows = page.getByRole("list", { name: "Runs that this run has started" }).getByRole("listitem");
  await expect(rows).toHaveCount(4 + 3);
  await expect(rows.filter({ has: page.getByRole("heading") }).first()).toHaveText(/^Scan\s*1 of 1 over/);
  const analysis = rows.filter({ hasText: "Pipeline" }).first();
  await expect(analysis).toContainText(/Done.*(Buy|Overweight|Hold).*13 of 13 nodes.*\$0\.00/s);
  await analysis.getByRole("link").focus();
  await page.keyboard.press("ArrowDown");
  await expect(rows.filter({ hasText: "Pipeline" }).nth(1).getByRole("link")).toBeFocused();
  // What is hidden from the eye makes no page longer than the window.
  expect(await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight)).toBeLessThanOrEqual(0);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Pipeline · /);
});

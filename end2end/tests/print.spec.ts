import { type Page, expect, test } from "./fixtures";
import { inspector, viewTab } from "./run-page";
import { importRun, runFile } from "./run-files";
import { type Accepted, finishedPipeline } from "./runs";

// A page on paper is all of its text without the frame around it.

let one: Accepted;
let other: Accepted;

test.beforeAll(async ({ server }) => {
  one = await finishedPipeline(server, "LLY", "2022-06-30");
  other = await finishedPipeline(server, "MRK", "2022-06-30");
});

/** What is on the paper, as a printer is told, and what of it cannot be seen whole. */
async function printed(page: Page): Promise<{ text: string; cut: string[] }> {
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  const found = await page.evaluate(() => {
    const cut = [...document.querySelectorAll("main *")].filter((element) => {
      const style = getComputedStyle(element);
      const scrolls = [style.overflowX, style.overflowY].some((way) => way === "auto" || way === "scroll");
      return scrolls && element.checkVisibility() && element.scrollHeight > element.clientHeight + 1;
    });
    const main = document.querySelector("main") as HTMLElement;
    return { text: document.body.innerText, cut: cut.map((element) => element.className), height: main.scrollHeight, page: document.documentElement.scrollHeight };
  });
  // The paper is as long as the content: nothing hides below the screen's edge.
  expect(found.page).toBeGreaterThanOrEqual(found.height - 1);
  expect(found.text).not.toContain("Switch between dark and light");
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  await page.emulateMedia({ media: null });
  return found;
}

test("every view of a run, and a node, prints whole and without the frame", async ({ page }) => {
  await page.goto(`/runs/${one.run}?view=transcript`);
  const said = await page.locator("ol.turns > li").allTextContents();
  const words = (text: string) => text.replace(/\s+/g, " ").trim();
  const transcript = await printed(page);
  expect(transcript.cut).toEqual([]);
  const last = words(await page.locator("ol.turns > li").last().locator("p, td, dd").first().innerText());
  expect(words(transcript.text)).toContain(last);
  expect(said.length).toBeGreaterThan(5);
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();

  await viewTab(page, "Events").click();
  const count = Number(await viewTab(page, "Events").locator(".tab-count").innerText());
  await expect(page.getByText(`${count} events`, { exact: true })).toBeVisible();
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await expect(page.locator(".event-row")).toHaveCount(count);
  await page.emulateMedia({ media: null });

  for (const view of ["Graph", "Timeline", "Chat"]) {
    await viewTab(page, view).click();
    expect((await printed(page)).cut, view).toEqual([]);
  }

  await page.goto(`/runs/${one.run}?view=timeline&node=portfolio_manager`);
  await expect(inspector(page).getByRole("heading", { name: "Portfolio manager" })).toBeVisible();
  const whole = words(await inspector(page).evaluate((element) => element.textContent ?? ""));
  const node = await printed(page);
  expect(node.cut).toEqual([]);
  expect(words(node.text)).toContain(words(await inspector(page).locator("p").last().innerText()));
  expect(whole.length).toBeGreaterThan(200);

  const paper = await page.pdf({ format: "A4" });
  const pages = paper.toString("latin1").match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;
  expect(pages, "more than one page of paper").toBeGreaterThan(1);
});

test("a text that is not loaded, and a fold, say on paper what is missing and where it is", async ({ page, server }) => {
  const run = await importRun(server, runFile("The shares rise. ".repeat(1_000)));
  await page.goto(`/runs/${run}?view=transcript`);
  const whole = page.getByRole("log", { name: "Transcript" }).getByRole("button", { name: /^Load all/ }).first();
  await expect(whole).toBeVisible();
  const note = `The whole is on the page of the run, /runs/${run}, behind “Load all”, and in the run's export.`;
  await expect(page.getByText(note).first()).toBeHidden();
  const cut = await printed(page);
  expect(cut.text).toContain(note);
  await whole.click();
  await expect(whole).toBeHidden();
  const loaded = await printed(page);
  expect(loaded.text.split("The shares rise.").length).toBeGreaterThan(1_000);

  await page.goto("/start");
  await page.emulateMedia({ media: "print" });
  const folds = page.locator("main details:not([open], .menu) > summary");
  for (const fold of await folds.all()) {
    expect(await fold.evaluate((element) => getComputedStyle(element, "::after").content)).toContain("folded");
  }
  await page.emulateMedia({ media: null });
});

test("all other pages print whole and without the frame", async ({ page }) => {
  for (const path of ["/", "/start", "/runs", "/portfolios/main_portfolio", `/compare?left=${one.run}&right=${other.run}`, "/account"]) {
    await page.goto(path);
    expect((await printed(page)).cut, path).toEqual([]);
  }
});

import { type Page, expect, test } from "./fixtures";

// An old page beside a new server: the files that the page was made with have other names by now.

/** From the returned call on, the server has none of this document's files; a document loaded later has its own. */
async function update(page: Page, hasMissing = false): Promise<{ begin: () => void; documents: string[]; refused: string[] }> {
  let isUpdated = false;
  const documents: string[] = [];
  const refused: string[] = [];
  page.on("request", (request) => {
    if (isUpdated && request.isNavigationRequest()) documents.push(new URL(request.url()).pathname);
  });
  await page.route("**/pkg/**", async (route) => {
    const url = route.request().url();
    const isOld = isUpdated && documents.length === 0;
    const isMissing = isUpdated && hasMissing && url.includes("split_overview.");
    if (!isOld && !isMissing) return route.continue();
    refused.push(url);
    return route.fulfill({ status: 404, body: "" });
  });
  return { begin: () => (isUpdated = true), documents, refused };
}

test.beforeEach(({ problems }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  problems.tolerate(/Failed to fetch|dynamically imported|WebAssembly/);
});

const toRuns = (page: Page) => page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Runs" });
const heading = (page: Page) => page.getByRole("heading", { level: 1 });

test("a link of an old page leads to the page that was wanted, loaded as a whole and once", async ({ page }) => {
  const { begin, documents } = await update(page);
  await page.goto("/start");
  begin();
  await toRuns(page).click();
  await expect(heading(page)).toHaveText("Runs");
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
  await expect(page).toHaveURL("/runs");
  expect(documents).toEqual(["/runs"]);
  await page.getByRole("searchbox", { name: "Search" }).fill("nothing like it");
  await expect(page.getByText("No run matches")).toBeVisible();
});

test("an old page does not throw away what was typed: it asks", async ({ page }) => {
  const { begin, documents } = await update(page);
  await page.goto("/start");
  const ticker = page.getByRole("form", { name: "Start a run" }).getByRole("combobox", { name: "Ticker" });
  await ticker.fill("KO");
  begin();
  await toRuns(page).click();
  const banner = page.getByRole("alert").filter({ hasText: "What you typed here is lost then." });
  await expect(banner).toBeVisible();
  await expect(ticker).toHaveValue("KO");
  expect(documents).toEqual([]);
  await banner.getByRole("link", { name: "Load it" }).click();
  await expect(heading(page)).toHaveText("Runs");
  expect(documents).toEqual(["/runs"]);
});

test("a page whose part the new server lacks, too, is loaded once and then says so", async ({ page }) => {
  const { begin, documents, refused } = await update(page, true);
  await page.goto("/start");
  begin();
  await toRuns(page).click();
  const banner = page.getByRole("alert").filter({ hasText: "The server lacks a part of this page's program" });
  await expect(banner.getByRole("link", { name: "Load the page again" })).toBeVisible();
  expect(documents).toEqual(["/runs"]);
  // Nothing is asked for any more.
  const asked = refused.length;
  await page.evaluate(() => new Promise((wake) => setTimeout(wake, 1_500)));
  expect([refused.length, documents.length]).toEqual([asked, 1]);
});

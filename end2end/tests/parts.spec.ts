import { type Page, expect, test } from "./fixtures";
import { type Accepted, finishedPipeline } from "./runs";

// Most pages' programs are files of their own, beside the one that all pages share.

/** A file of so many bytes is named in the head. */
const LARGE = 16 * 1024;

type Place = { file: RegExp; path: string; heading: RegExp };

let run: string;
let other: Accepted;

test.beforeAll(async ({ server }) => {
  ({ run } = await finishedPipeline(server, "LLY", "2022-06-30"));
  other = await finishedPipeline(server, "MRK", "2022-06-30");
});

const places = (): Place[] => [
  { file: /split_overview\./, path: "/", heading: /^Overview$/ },
  { file: /split_start\./, path: "/start", heading: /^Start a run$/ },
  { file: /split_overview\./, path: "/runs", heading: /^Runs$/ },
  { file: /split_run\./, path: `/runs/${run}`, heading: /^Pipeline · LLY/ },
  { file: /split_run\./, path: `/compare?left=${run}&right=${other.run}`, heading: /^Compare two runs$/ },
  { file: /split_run\./, path: `/trials?run=${run}&node=trader&visit=1`, heading: /^Trials of Trader$/ },
  { file: /split_account\./, path: "/documents", heading: /^Documents$/ },
  { file: /split_portfolio\./, path: "/portfolios/main_portfolio", heading: /^Main portfolio$/ },
  { file: /split_conversations\./, path: "/tasks", heading: /^Tasks$/ },
  { file: /split_portfolio\./, path: "/tickers/LLY", heading: /^LLY · / },
];

/** The programs that the page asks for from now on. */
function programs(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith(".wasm")) asked.push(request.url());
  });
  return asked;
}

/** Lets requests wait until the function that it returns is called. */
async function hold(page: Page, files: string): Promise<() => void> {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(files, async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

test("every page opens by its address with no more than its own part, fetched once", async ({ page, newTab }) => {
  for (const { file, path, heading } of places()) {
    const tab = await newTab();
    const asked = programs(tab);
    const read: string[] = [];
    tab.on("request", (request) => {
      // The log behind the state, for the time bar, comes when the page is there.
      if (/\/rpc\/(?!events$)/.test(request.url())) read.push(request.url());
    });
    await tab.goto(path);
    await expect(tab.getByRole("heading", { level: 1 })).toHaveText(heading);
    const links = tab.locator("link[rel=preload][as=fetch]");
    const named = await links.evaluateAll((links) => links.map((link) => (link as HTMLLinkElement).href));
    expect(asked.some((url) => file.test(url)), `${path} asks for ${file}`).toBe(true);
    expect(asked.filter((url) => /split_/.test(url)), path).toHaveLength(1);
    expect(new Set(asked).size, `${path} fetches nothing twice`).toBe(asked.length);
    expect(asked, `${path} asks for all that its head names`).toEqual(expect.arrayContaining(named));
    for (const url of asked.filter((url) => !named.includes(url))) {
      const { length } = await (await tab.request.get(url)).body();
      expect(length, `${url}, which the head of ${path} does not name`).toBeLessThan(LARGE);
    }
    // The overview's sections of families come after the page, which does not wait for them; and what a form holds once
    // the drafts of this browser are back is remarked on.
    const late = path === "/" ? /\/rpc\/portfolios$/ : path.startsWith("/start") ? /\/rpc\/remarks$/ : /^$/;
    expect(read.filter((url) => !late.test(url)), `${path} reads its data from the document`).toEqual([]);
    await tab.close();
  }
  await page.close();
});

test("every page opens by a link, and its part comes only then", async ({ page, problems }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  const asked = programs(page);
  const navigation = page.getByRole("navigation", { name: "Pages" });
  const heading = page.getByRole("heading", { level: 1 });
  const part = (name: string) => asked.some((url) => url.includes(`split_${name}.`));

  // A page that needs no part.
  await page.goto("/nowhere");
  expect(asked.filter((url) => url.includes("split_"))).toEqual([]);
  await page.evaluate(() => document.body.setAttribute("data-same-document", "true"));

  await navigation.getByRole("link", { name: "Runs" }).click();
  await expect(heading).toHaveText("Runs");
  expect([part("overview"), part("run"), part("portfolio")]).toEqual([true, false, false]);

  await page.getByRole("link", { name: "Pipeline · LLY · 2022-06-30" }).first().click();
  await expect(heading).toHaveText(/^Pipeline · LLY/);
  expect([part("run"), part("portfolio")]).toEqual([true, false]);

  await navigation.getByRole("link", { name: "Overview" }).click();
  await expect(heading).toHaveText("Overview");
  expect(part("portfolio")).toBe(false);

  await navigation.getByRole("link", { name: "Portfolio" }).click();
  await expect(heading).toHaveText("Main portfolio");
  await expect(page).toHaveURL("/portfolios/main_portfolio");
  expect(part("portfolio")).toBe(true);

  await page.goBack();
  await expect(page.locator("body")).toHaveAttribute("data-same-document", "true");
});

test("a part that cannot be loaded is said, the page before stays, and it opens when it can", async ({ page, problems }) => {
  problems.tolerate(/Failed to load resource: net::ERR_CONNECTION_REFUSED/);
  problems.tolerate(/Failed to fetch/);
  await page.goto("/start");
  await page.route("**/pkg/split_overview.*", (route) => route.abort("connectionrefused"));
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Runs" }).click();
  const banner = page.getByRole("alert").filter({ hasText: "could not be loaded" });
  await expect(banner).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Start a run");

  // What is there already still works.
  await page.getByRole("radio", { name: "Portfolio" }).check({ force: true });
  await expect(page.getByRole("heading", { level: 2, name: "Portfolio" })).toBeVisible();

  await page.unroute("**/pkg/split_overview.*");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Runs", { timeout: 20_000 });
  await expect(banner).toHaveCount(0);
});

test("a page opened without its part shows what the server rendered, and comes alive when it can", async ({ page, problems }) => {
  problems.tolerate(/Failed to load resource: net::ERR_CONNECTION_REFUSED/);
  problems.tolerate(/Failed to fetch/);
  await page.route("**/pkg/split_overview.*", (route) => route.abort("connectionrefused"));
  const opened = page.goto("/runs");
  await expect(page.getByRole("alert").filter({ hasText: "could not be loaded" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Pipeline · LLY · 2022-06-30" })).toBeVisible();
  await page.unroute("**/pkg/split_overview.*");
  await opened;
  await page.getByRole("searchbox", { name: "Search" }).fill("nothing like it");
  await expect(page.getByText("No run matches")).toBeVisible();
});

test("what the search finds comes when the search is first used, and nothing that is typed meanwhile is lost", async ({ page }) => {
  const asked = programs(page);
  const isAsked = () => asked.some((url) => url.includes("split_overview."));
  await page.goto("/account");
  const release = await hold(page, "**/pkg/split_overview.*");
  expect(isAsked()).toBe(false);
  await page.keyboard.press("/");
  await page.keyboard.type("lly");
  const found = page.getByRole("listbox", { name: "Found" });
  await expect(found.getByText("Searching …")).toBeVisible();
  expect(isAsked()).toBe(true);
  await page.keyboard.type(" 2022");
  release();
  await expect(found.getByRole("option").filter({ hasText: "Pipeline · LLY · 2022-06-30" }).first()).toBeVisible();
  await expect(page.getByRole("combobox", { name: "Search runs, tickers and pages" })).toHaveValue("lly 2022");
});

test("what a family shows on the overview comes after the page, and on a run's page with it", async ({ newTab }) => {
  const overview = await newTab();
  const release = await hold(overview, "**/families/trading.css");
  await overview.goto("/");
  await expect(overview.getByRole("heading", { name: "Recent results" })).toBeVisible();
  // The page is alive without it.
  await overview.getByRole("link", { name: "All kinds" }).focus();
  await expect(overview.getByRole("heading", { name: "Portfolios" })).toHaveCount(0);
  release();
  await expect(overview.getByRole("heading", { name: "Portfolios" })).toBeVisible();
  await overview.close();

  const transcript = await newTab();
  await transcript.goto(`/runs/${run}?view=transcript`);
  // Its style sheet stands in the document, and so the program that takes it over begins with its cards.
  await expect(transcript.locator("head link[rel=stylesheet][href*='families/trading.css']")).toHaveCount(1);
  await expect(transcript.locator(".result-card .result-subject").first()).toHaveText("LLY");
  await transcript.close();
});

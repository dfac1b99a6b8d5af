import { type Page, expect, test } from "./fixtures";
import { runFile } from "./run-files";
import { pill } from "./run-page";

// The page that starts runs: what there is, what it will take, and what keeps it from being started.

const found = (page: Page) => page.getByRole("searchbox", { name: "Find a kind of run" });
const startButton = (page: Page) => page.getByRole("button", { name: "Start the run" });
const estimate = (page: Page) => page.getByRole("region", { name: "Estimate" });

// A server of its own: of the estimate, no other test may have started anything.
test.use({ variables: { PITWALL_REHEARSAL_SPEED: "90000" } });

test("what can be started is found by words and chosen with arrow keys, and Ctrl with Enter starts it", async ({ page }) => {
  await page.goto("/start");
  await expect(found(page)).toBeFocused();
  await page.keyboard.type("holdings");
  await expect(page.getByRole("radio", { name: "Pipeline" })).toBeHidden();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: "Portfolio" })).toBeChecked();
  await expect(page.getByRole("heading", { level: 2, name: "Portfolio" })).toBeVisible();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("opera");
  await expect(page.getByText("No kind is called that, or does that.")).toBeVisible();
  // Enter alone chooses, and starts nothing.
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/start");
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/\/runs\//);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Portfolio · /);
  await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
});

test("what can be started is tried by its sample, and what that took is the estimate of the next run like it", async ({ page }) => {
  await page.goto("/start?type=pipeline");
  await expect(estimate(page)).toContainText("No run like this has come to its end yet");
  await page.getByRole("button", { name: "Run the sample" }).click();
  await page.waitForURL(/\/runs\//);
  await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });

  await page.goto("/start?type=pipeline");
  await expect(estimate(page)).toContainText("$0.00");
  await expect(estimate(page)).toContainText("What one earlier run like this took.");
  await expect(estimate(page).locator("circle")).toHaveCount(1);
  // At another pace it is another run.
  await page.getByRole("radio", { name: "Slow" }).check();
  await expect(estimate(page)).toContainText("No run like this has come to its end yet");
});

test("two clicks on the start in a row start one run", async ({ page }) => {
  await page.goto("/start?type=pipeline&ticker=MRK&date=2022-03-31");
  await startButton(page).dblclick();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · MRK · 2022-03-31");
  await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
  const { runs } = await (await page.request.get("/api/v1/runs?search=MRK")).json();
  expect(runs).toHaveLength(1);
});

test("on a phone the estimate and the start stay in sight @mobile", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/start");
  await expect(startButton(page)).toBeInViewport();
  await expect(estimate(page)).toBeInViewport();
  await page.getByText(/^More/).scrollIntoViewIfNeeded();
  await expect(startButton(page)).toBeInViewport();
});

test("the settings of the last run of a kind are taken over, and the rest of the form stays", async ({ page }) => {
  await page.goto("/start?type=pipeline&ticker=KO&date=2022-03-31");
  const last = page.getByRole("button", { name: "Use the last settings" });
  await page.getByLabel("Tokens").fill("54321");
  await startButton(page).click();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · KO · 2022-03-31");

  await page.goto("/start?type=pipeline");
  await expect(page.getByLabel("Tokens")).toHaveValue("");
  await last.click();
  await expect(page.getByText("As in “Pipeline · KO · 2022-03-31”.")).toBeVisible();
  await expect(page.getByLabel("Tokens")).toHaveValue("54321");
  await expect(page.getByRole("combobox", { name: "Ticker", exact: true })).toHaveValue("KO");
  await startButton(page).click();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · KO · 2022-03-31");
});

test("a start is shown as the request that a program sends, and that starts the same", async ({ page, server }) => {
  await page.goto("/start?type=pipeline&ticker=KO&date=2022-03-31");
  await page.getByRole("button", { name: "As a request" }).click();
  const text = await page.getByRole("dialog").getByLabel("Request").innerText();
  const body = text.slice(text.indexOf("-d '") + 4, -1);
  const answer = await server.fetch("/api/v1/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  expect(answer.status).toBe(201);
  const { run } = (await answer.json()) as { run: string };
  await page.goto(`/runs/${run}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pipeline · KO · 2022-03-31");
});

test("a file that was exported is taken in where runs are started, and any other is refused", async ({ page }) => {
  await page.goto("/start");
  const chooser = page.getByLabel("File of a run or a document");
  await chooser.setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("Buy milk.") });
  await expect(page.getByRole("alert")).toHaveText(/“notes.txt” was not imported. It is neither a run nor a document/);
  await chooser.setInputFiles({ name: "run.jsonl", mimeType: "application/x-ndjson", buffer: Buffer.from(runFile("The shares rise.")) });
  await page.waitForURL(/\/runs\//);
});

test("a ticker without prices is said at its field while it is typed, and a check that fails or comes late disturbs nothing", async ({ page, problems }) => {
  problems.tolerate(/ERR_FAILED|Failed to load resource/);
  await page.goto("/start?type=pipeline&date=2022-06-30");
  const ticker = page.getByRole("form", { name: "Start a run" }).getByRole("combobox", { name: "Ticker" });
  const note = page.locator("#ticker-note");
  await ticker.fill("ZZZZ");
  await expect(note).toContainText("There are no prices of ZZZZ as of 2022-06-30.");
  await expect(note).toContainText("import your own prices");
  await expect(ticker).toBeFocused();

  // The answer to ZZZZ comes after KO was typed, and is said no more.
  let held = 0;
  await page.route("**/rpc/remarks", async (route) => {
    const answer = await route.fetch();
    held += 1;
    if (route.request().postData()?.includes("YYYY")) await expect(ticker).toHaveValue("KO");
    await route.fulfill({ response: answer });
  });
  await ticker.fill("YYYY");
  await expect.poll(() => held).toBe(1);
  await ticker.fill("KO");
  await expect.poll(() => held).toBe(2);
  await expect(note).not.toContainText("no prices");

  await page.unroute("**/rpc/remarks");
  await page.route("**/rpc/remarks", (route) => route.abort());
  await ticker.fill("XXXX");
  await expect(ticker).toHaveValue("XXXX");
  await expect(note).not.toContainText("There are no prices of XXXX as of");
  await expect(ticker).toBeFocused();
});

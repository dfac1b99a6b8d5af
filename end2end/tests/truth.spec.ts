import { type BrowserContext } from "@playwright/test";
import { type Page, expect, test } from "./fixtures";
import { asks, fact } from "./run-page";
import { finishedPipeline, reaches, runView, startPipeline, stop } from "./runs";

/** Milliseconds of `12:34` or `1:02:03`. */
function reckoned(clock: string): number {
  return clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 1_000;
}

for (const minutes of [-10, 10]) {
  test.describe(`where the browser's clock is ${minutes} minutes off`, () => {
    test.beforeEach(async ({ context }) => {
      await context.addInitScript((shift: number) => {
        const now = Date.now.bind(Date);
        Date.now = () => now() + shift;
      }, minutes * 60_000);
    });

    test("running times and deadlines are the server's", async ({ page, server }) => {
      const { run } = await startPipeline(server, "AAPL", "2022-06-30", { questions: true, charactersPerSecond: 3_000 });
      await reaches(server, run, "waiting");
      const view = (await runView(server, run)) as unknown as { summary: { created_at: string | number } };
      // The server of the tests is on this machine.
      const begun = new Date(view.summary.created_at).getTime();
      const near = async (text: string, expected: number) => expect(Math.abs(reckoned(text) - expected)).toBeLessThan(3_000);

      await page.goto(`/runs/${run}`);
      await expect(fact(page, "Elapsed")).toHaveText(/\d\d:\d\d/);
      await near(await fact(page, "Elapsed").innerText(), Date.now() - begun);
      const left = /((?:\d+:)?\d\d:\d\d) left/;
      await expect(asks(page)).toContainText(left);
      const onRun = left.exec(await asks(page).innerText())![1];

      await page.goto("/runs");
      const row = page.getByRole("row").filter({ hasText: "AAPL" }).first();
      await expect(row).toContainText(/\d\d:\d\d/);
      await near(/((?:\d+:)?\d\d:\d\d)(?!\d)/.exec((await row.innerText()).replace(/\d{4}-\d\d-\d\d/g, ""))![1], Date.now() - begun);

      await page.goto("/");
      const waiting = page.getByRole("region", { name: "Needs you" });
      await expect(waiting).toContainText(left);
      const onOverview = left.exec(await waiting.innerText())![1];
      expect(reckoned(onRun) - reckoned(onOverview)).toBeGreaterThanOrEqual(0);
      expect(reckoned(onRun) - reckoned(onOverview)).toBeLessThan(20_000);
      // An agent waits for a round time: whatever the clock, that much less what has passed.
      const asked = (await runView(server, run)) as unknown as { inputs: { request: { deadline: string | number } }[] };
      await near(onOverview, new Date(asked.inputs[0].request.deadline).getTime() - Date.now());
      await stop(server, run);
    });
  });
}

test("a clock that is set while the page is open changes no time on it; a machine that slept is noticed", async ({ page, server }) => {
  await page.addInitScript(() => {
    const [date, steady] = [Date.now.bind(Date), performance.now.bind(performance)];
    const shifts = { date: 0, steady: 0 };
    Object.assign(window, { shifts });
    Date.now = () => date() + shifts.date;
    performance.now = () => steady() + shifts.steady;
  });
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { questions: true });
  await reaches(server, run, "waiting");
  const view = (await runView(server, run)) as unknown as { summary: { created_at: string | number } };
  const begun = new Date(view.summary.created_at).getTime();
  const off = async () => Math.abs(reckoned(await fact(page, "Elapsed").innerText()) - (Date.now() - begun));
  await page.goto(`/runs/${run}`);
  await expect(fact(page, "Elapsed")).toHaveText(/\d\d:\d\d/);

  await page.evaluate(() => ((window as never as { shifts: { date: number } }).shifts.date = 3_600_000));
  await expect.poll(off).toBeLessThan(3_000);

  // A steady clock that stood still for ten minutes, as it does while the machine sleeps.
  await page.evaluate(() => ((window as never as { shifts: { steady: number } }).shifts.steady = -600_000));
  await expect.poll(off, { timeout: 20_000 }).toBeLessThan(3_000);
  await stop(server, run);
});

/** Keeps the page's program on its way until what is returned is called. */
async function holdProgram(page: Page): Promise<() => void> {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/pkg/pitwall.*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

test.describe("a program that cannot start", () => {
  /** A page that nobody waits for. */
  const opened = async (context: BrowserContext, prepare: (page: Page) => Promise<unknown>, path = "/"): Promise<Page> => {
    const page = await context.newPage();
    await prepare(page);
    await page.goto(path);
    return page;
  };

  const ways: Record<string, [(page: Page) => Promise<unknown>, RegExp]> = {
    "WebAssembly is off": [(page) => page.addInitScript("delete window.WebAssembly"), /needs WebAssembly/],
    "its files are refused": [(page) => page.route("**/*.wasm", (route) => route.fulfill({ status: 403, body: "blocked" })), /something blocks its files/],
    "its scripts are blocked": [(page) => page.route("**/pkg/*.js", (route) => route.abort("blockedbyclient")), /something blocks its files/],
    "its scripts are another's": [(page) => page.route("**/pkg/*.js", (route) => route.fulfill({ contentType: "text/html", body: "<p>Sign in" })), /something blocks its files/],
    "the program is broken": [(page) => page.route("**/pkg/pitwall.*.wasm", (route) => route.fulfill({ contentType: "application/wasm", body: "\0asm\x01\0\0\0\xff" })), /something blocks its files/],
  };
  for (const [what, [prepare, words]] of Object.entries(ways)) {
    test(`says so and what to do where ${what}`, async ({ context, server }) => {
      const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
      for (const path of ["/", `/runs/${run}`, "/runs", "/portfolio", "/account"]) {
        const page = await opened(context, prepare, path);
        await expect(page.getByRole("alert").filter({ hasText: words })).toBeVisible();
        await expect(page.getByText("Connecting", { exact: true })).toBeHidden();
        await page.close();
      }
    });
  }

  test("says so after a time where its files never come, and takes it back when they do", async ({ context }) => {
    const page = await context.newPage();
    await page.clock.install();
    const release = await holdProgram(page);
    await page.goto("/start", { waitUntil: "domcontentloaded" });
    await page.clock.fastForward(21_000);
    const note = page.getByRole("alert").filter({ hasText: "has not started for 20 seconds" });
    await expect(note).toBeVisible();
    release();
    await expect(note).toBeHidden();
    await expect(page.getByRole("button", { name: "Start the run" })).toBeEnabled();
  });

  test("says so where scripts are off", async ({ server }) => {
    // Scripts that a test turns off do not make Chromium show the element, only those that a person does.
    const page = await (await server.fetch("/", { headers: { accept: "text/html" } })).text();
    expect(page).toMatch(/<noscript>.*This page needs scripts, which this browser does not run\./s);
  });
});

test("what is typed before the program has come stays", async ({ context }) => {
  const page = await context.newPage();
  const release = await holdProgram(page);
  await page.goto("/start", { waitUntil: "domcontentloaded" });
  const form = page.getByRole("form", { name: "Start a run" });
  await form.getByRole("combobox", { name: "Ticker" }).fill("KO");
  await form.getByLabel("As of").fill("2021-03-31");
  await form.getByRole("checkbox", { name: /^News/ }).uncheck();
  release();
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
  await expect(form.getByRole("combobox", { name: "Ticker" })).toHaveValue("KO");
  await expect(form.getByLabel("As of")).toHaveValue("2021-03-31");
  await expect(form.getByRole("checkbox", { name: /^News/ })).not.toBeChecked();
  const [request] = await Promise.all([
    page.waitForRequest("**/rpc/start_run*"),
    form.getByRole("button", { name: "Start the run" }).click(),
  ]);
  expect(request.postData()).toContain("KO");
  expect(request.postData()).toContain("2021-03-31");
  expect(request.postData()).not.toContain("news");
});

test("words selected in an answer under way stay selected while more comes, and after its end", async ({ page, server }) => {
  test.setTimeout(120_000);
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 50 });
  await page.goto(`/runs/${run}?view=transcript`);
  const writing = page.locator(".writing:not(.dim)").first();
  await expect(writing).toHaveText(/^.{40}/s, { timeout: 20_000 });
  const chosen = await writing.evaluate((element) => {
    const text = [...element.childNodes].find((node) => (node.textContent ?? "").length >= 40)!;
    const range = document.createRange();
    range.setStart(text, 3);
    range.setEnd(text, 30);
    getSelection()!.removeAllRanges();
    getSelection()!.addRange(range);
    element.setAttribute("data-chosen", "true");
    return range.toString();
  });
  expect(chosen).toHaveLength(27);
  const place = page.locator("[data-chosen]");
  const length = (await place.innerText()).length;
  await expect.poll(async () => (await place.innerText()).length).toBeGreaterThan(length + 10);
  expect(await page.evaluate(() => String(getSelection()))).toBe(chosen);

  // Its call ends and the next ones begin.
  await expect.poll(async () => (await runView(server, run)).summary.totals.model_calls, { timeout: 80_000 }).toBeGreaterThan(5);
  expect(await page.evaluate(() => String(getSelection()))).toBe(chosen);
  await page.getByRole("heading", { level: 1 }).click();
  await expect(place).toHaveCount(0);
  await stop(server, run);
});

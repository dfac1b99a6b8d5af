import { type Locator } from "@playwright/test";
import { type Page, expect, test } from "./fixtures";
import { fact, graph, inspector, card, pill, viewTab } from "./run-page";
import { finishedPipeline } from "./runs";

// What a browser or something on the way may refuse, and what the page says then.

// Every browser of this file also knows the server by a name.
test.use({
  variables: { PITWALL_ALLOW_HOST: "pitwall.test:{port}" },
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, args: [...(launchOptions.args ?? []), "--host-resolver-rules=MAP pitwall.test 127.0.0.1"] });
  },
});

const startForm = (page: Page): Locator => page.getByRole("form", { name: "Start a run" });

/** Every button that copies is used twice; what was copied is pasted after each click. */
async function copiesTwice(page: Page, button: Locator, expected: RegExp): Promise<void> {
  for (let click = 0; click < 2; click++) {
    await button.click();
    await expect(button).toHaveText("Copied");
    expect(await pasted(page)).toMatch(expected);
  }
}

/** What the clipboard holds: pasted into a field, as a person would. */
async function pasted(page: Page): Promise<string> {
  return page.evaluate(() => {
    const field = document.createElement("textarea");
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.focus();
  }).then(async () => {
    await page.keyboard.press("Control+V");
    const field = page.locator("textarea:focus");
    await expect(field).not.toHaveValue("");
    const text = await field.inputValue();
    await field.evaluate((field) => field.remove());
    return text;
  });
}

test.describe("over plain http at a name that is not this machine's", () => {
  test("all that copies does so, as often as it is asked", async ({ page, problems, server }) => {
    problems.tolerate(/Cross-Origin-Opener-Policy header has been ignored/);
    const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
    const there = new URL(server.addressToOpen);
    there.hostname = "pitwall.test";
    await page.goto(there.href);
    expect(await page.evaluate(() => [isSecureContext, "clipboard" in navigator])).toEqual([false, false]);

    await page.goto(`${there.origin}/runs/${run}?node=portfolio_manager`);
    await copiesTwice(page, inspector(page).getByRole("button", { name: /^Cop/ }).first(), /\S/);

    await viewTab(page, "Events").click();
    await page.getByRole("region", { name: "Events" }).getByRole("button").first().click();
    await copiesTwice(page, page.locator(".event-open").getByRole("button", { name: /^Cop/ }).first(), /run_started/);

    await page.getByRole("button", { name: "Share" }).click();
    const dialog = page.getByRole("dialog", { name: "Share this run" });
    await dialog.getByRole("button", { name: "Share" }).click();
    await copiesTwice(page, dialog.getByRole("button", { name: /^Cop/ }), /^http:\/\/pitwall\.test:\d+\/s\//);
  });

  test("a browser that copies nothing is said so, and the page goes on", async ({ page, problems, server }) => {
    problems.tolerate(/Cross-Origin-Opener-Policy header has been ignored/);
    const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
    await page.addInitScript(() => { document.execCommand = () => false; });
    const there = new URL(server.addressToOpen);
    there.hostname = "pitwall.test";
    await page.goto(there.href);
    await page.goto(`${there.origin}/runs/${run}?node=portfolio_manager`);
    const button = inspector(page).getByRole("button", { name: /Cop|copied/ }).first();
    for (let click = 0; click < 2; click++) {
      await button.click();
      await expect(button).toContainText("Not copied: the browser refuses.");
    }
    await viewTab(page, "Timeline").click();
    await expect(page.getByRole("tab", { name: "Timeline" })).toHaveAttribute("aria-selected", "true");
  });
});

/** Each takes one thing from the browser before the page begins. */
const missing: Record<string, string> = {
  clipboard: "Object.defineProperty(navigator, 'clipboard', { value: undefined })",
  "a clipboard that refuses": "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError')); document.execCommand = undefined",
  storage: "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } })",
  "writing to storage": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }",
  media: "delete window.matchMedia; window.matchMedia = undefined",
  performance: "Object.defineProperty(window, 'performance', { value: undefined })",
  crypto: "Object.defineProperty(window, 'crypto', { value: undefined })",
  observers: "window.ResizeObserver = window.IntersectionObserver = window.PerformanceObserver = undefined",
  notifications: "window.Notification = undefined",
  "aborting requests": "window.AbortController = undefined",
  "moving and choosing": "Element.prototype.scrollIntoView = Element.prototype.setPointerCapture = HTMLInputElement.prototype.select = window.getSelection = undefined",
  dialogs: "HTMLDialogElement.prototype.showModal = HTMLDialogElement.prototype.close = undefined",
  "full screen": "Element.prototype.requestFullscreen = undefined",
  "changes of the address": "const refuse = () => { throw new DOMException('too often', 'SecurityError'); }; History.prototype.replaceState = refuse; History.prototype.pushState = refuse",
  "the focus": "HTMLElement.prototype.focus = undefined",
};

test.describe("whatever function of the browser is missing", () => {
  for (const [what, script] of Object.entries(missing)) {
    test(`the page works without ${what}`, async ({ page, server }) => {
      const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
      await page.addInitScript(script);
      await page.goto(`/runs/${run}`);
      await page.getByRole("button", { name: "Switch between dark and light" }).click();
      await page.keyboard.press("/");
      await card(page, "Portfolio manager").click();
      await expect(inspector(page).getByRole("heading", { name: "Portfolio manager" })).toBeVisible();
      const canvas = (await graph(page).boundingBox())!;
      await page.mouse.move(canvas.x + 8, canvas.y + 8);
      await page.mouse.down();
      await page.mouse.move(canvas.x + 60, canvas.y + 60, { steps: 3 });
      await page.mouse.up();
      await inspector(page).getByRole("button", { name: "Copy" }).first().click();
      await page.getByRole("button", { name: "Share" }).click();
      await page.getByRole("button", { name: "Close", exact: true }).click();
      await viewTab(page, "Chat").click();
      const question = page.getByRole("textbox", { name: "Your question" });
      await question.fill("Why?");
      await expect(fact(page, "Connection")).toHaveText("Complete");
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Runs" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Runs");
      await expect(page.locator(".top-banner, .start-note")).toHaveCount(0);
    });
  }
});

test.describe("an answer that is not the server's", () => {
  const html = "<html><body><h1>502 Bad Gateway</h1></body></html>";

  for (const [what, answer] of Object.entries({
    "a proxy's error": { status: 502, contentType: "text/html", body: html },
    "a proxy's sign-in": { status: 200, contentType: "text/html", body: html },
    "a proxy's own document": { status: 503, contentType: "application/json", body: '{"message":"no upstream"}' },
  })) {
    test(`${what} is called so; what was typed stays and can be sent again`, async ({ page, problems }) => {
      problems.tolerate(/Failed to load resource/);
      await page.goto("/start");
      const form = startForm(page);
      await form.getByRole("combobox", { name: "Ticker" }).fill("KO");
      await page.route("**/rpc/start_run*", (route) => route.fulfill(answer));
      await form.getByRole("button", { name: "Start the run" }).click();
      await expect(form.getByRole("alert")).toContainText(`The answer did not come from Pitwall but from something on the way to it (status ${answer.status})`);
      await expect(form.getByRole("combobox", { name: "Ticker" })).toHaveValue("KO");
      await page.unroute("**/rpc/start_run*");
      await form.getByRole("button", { name: "Start the run" }).click();
      await page.waitForURL(/\/runs\//);
      await expect(pill(page)).toBeVisible();
    });
  }

  test("none at all is given up after a time, in words, and can be asked for again", async ({ page, server }) => {
    const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
    await page.clock.install();
    await page.goto(`/runs/${run}?view=chat`);
    const question = page.getByRole("textbox", { name: "Your question" });
    await question.fill("Why did it decide so?");
    const asked = page.waitForRequest("**/rpc/ask_run*");
    await page.route("**/rpc/ask_run*", () => {});
    await page.getByRole("button", { name: "Ask" }).click();
    await asked;
    await page.clock.fastForward(31_000);
    await expect(page.getByRole("alert")).toContainText("The server did not answer within 30 seconds.");
    await expect(question).toHaveValue("Why did it decide so?");
    await page.unroute("**/rpc/ask_run*");
    await page.getByRole("button", { name: "Ask" }).click();
    await expect(question).toHaveValue("");
  });

  test("is called so for a file that is taken in, too", async ({ page, problems }) => {
    problems.tolerate(/Failed to load resource/);
    await page.goto("/runs");
    await page.route("**/api/v1/runs/import", (route) => route.fulfill({ status: 413, contentType: "text/html", body: html }));
    await page.getByLabel("File of a run").setInputFiles({ name: "run.jsonl", mimeType: "text/plain", buffer: Buffer.from("{}") });
    await expect(page.getByRole("alert")).toContainText("The answer did not come from Pitwall but from something on the way to it (status 413)");
  });
});

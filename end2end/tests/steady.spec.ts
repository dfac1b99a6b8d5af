import { type Page, expect, test } from "./fixtures";
import { card } from "./run-page";
import { finishedPipeline, startPortfolioRun, succeeded } from "./runs";

// What a person looks at does not move under their eyes, can be read on a phone, and is painted before the program.

/** How far what was painted has moved since the page was opened, as browsers reckon it. */
async function shifts(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((done) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
            if (!entry.hadRecentInput) sum += entry.value;
          }
        });
        observer.observe({ type: "layout-shift", buffered: true });
        // Entries that are buffered come at once.
        setTimeout(() => done(sum), 500);
      }),
  );
}

test("no page moves when it connects", async ({ page, server }) => {
  const { run, flow } = await finishedPipeline(server, "AAPL", "2022-06-30");
  const decision = await startPortfolioRun(server, "2022-06-30", { flow });
  await succeeded(server, decision.run);
  // So that what the server rendered is painted long before the page's own word of its connection.
  await page.routeWebSocket(/\/ws\/v1\//, async (socket) => {
    await new Promise((wake) => setTimeout(wake, 800));
    socket.connectToServer();
  });
  for (const width of [412, 1_350]) {
    await page.setViewportSize({ width, height: 940 });
    for (const path of ["/portfolios/main_portfolio", "/", "/runs", `/runs/${run}`]) {
      await page.goto(path);
      await expect(page.locator(".connection").first()).toContainText(/Live|Complete/);
      expect(await shifts(page), `${path} at ${width} px`).toBeLessThan(0.1);
    }
  }
});

test("no letters are smaller than 12 pixels on a phone", async ({ page, server }) => {
  const { run, flow } = await finishedPipeline(server, "AAPL", "2022-06-30");
  const decision = await startPortfolioRun(server, "2022-06-30", { flow });
  await succeeded(server, decision.run);
  await page.setViewportSize({ width: 390, height: 800 });
  for (const path of ["/", "/runs", `/runs/${run}`, `/runs/${run}?view=timeline`, `/runs/${run}?view=events`, "/portfolios/main_portfolio", "/account"]) {
    await page.goto(path);
    const small = await page.evaluate(() => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found = new Set<string>();
      while (texts.nextNode()) {
        const element = texts.currentNode.parentElement!;
        if (!texts.currentNode.textContent?.trim() || !element.checkVisibility()) continue;
        if (parseFloat(getComputedStyle(element).fontSize) < 12) found.add(`${element.tagName}.${element.getAttribute("class") ?? ""}`);
      }
      return [...found];
    });
    expect(small, path).toEqual([]);
  }
  await page.goto(`/runs/${run}`);
  await expect(card(page, "Trader")).toBeVisible();
});

test("the style sheet is named before the program, and the favicon may be kept", async ({ server }) => {
  const html = await (await server.fetch("/", { headers: { accept: "text/html" } })).text();
  const head = html.slice(0, html.indexOf("</head>"));
  expect(head.indexOf('rel="stylesheet"')).toBeGreaterThan(0);
  expect(head.indexOf('rel="stylesheet"')).toBeLessThan(head.search(/rel="(modulepreload|preload)"[^>]*\.(js|wasm)/));
  const favicon = await server.fetch("/favicon.svg");
  expect(favicon.headers.get("cache-control")).toBe("public, max-age=86400");
});

import { type Page, expect, test as base } from "./fixtures";
import { Proxy } from "./proxy";
import { completeTurns, eventNumbers, expectTurns, fact, pill, transcript, viewTab } from "./run-page";
import { runView, startPipeline, stop, succeeded } from "./runs";
import { Server } from "./server";

/** Seconds between two heartbeats. The page's patience follows from it: in use it is 15. */
const heartbeat = 3;

/** A dead connection is noticed by then. */
const noticedWithinMs = 3 * heartbeat * 1000 + 2000;

// They mostly wait, each with a server and a proxy of its worker's.
base.describe.configure({ mode: "parallel" });

/** A server that is reached through a proxy. */
const test = base.extend<{ beyond: void }, { way: Proxy }>({
  way: [
    async ({}, use) => {
      const proxy = await Proxy.listen();
      await use(proxy);
      await proxy.remove();
    },
    { scope: "worker" },
  ],
  server: [
    async ({ way: proxy }, use) => {
      const server = await Server.launch({ PITWALL_ALLOW_HOST: proxy.host, PITWALL_HEARTBEAT: String(heartbeat) });
      proxy.leadTo(server.url);
      await use(server);
      await server.remove();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  baseURL: async ({ way: proxy, server: _ }, use) => use(proxy.url),
  beyond: [
    async ({ way: proxy, problems }, use) => {
      // What a browser says of connections that do not come about.
      problems.tolerate(/WebSocket connection to .* failed|net::ERR_/);
      // A part of the program that does not come at the first attempt is fetched again.
      problems.tolerate(/TypeError: Failed to fetch/);
      proxy.behave();
      await use();
    },
    { auto: true },
  ],
});

const connection = (page: Page) => page.locator(".connection").first();

/** What the browser tells a page whose reader comes back. */
const comeBack = (page: Page, what: "online" | "visibilitychange" | "pageshow") =>
  page.evaluate((what) => (what === "visibilitychange" ? document : window).dispatchEvent(new Event(what, { bubbles: true })), what);

/** The page shows the whole run, as the server has it. */
async function expectWholeRun(page: Page, server: Server, run: string): Promise<void> {
  const { summary, turns } = await runView(server, run);
  await expect(fact(page, "Connection")).toHaveText("Complete");
  await viewTab(page, "Transcript").click();
  await expectTurns(page, turns.length);
  await viewTab(page, "Events").click();
  const numbers = await eventNumbers(page, summary.seq);
  expect(numbers).toEqual(Array.from({ length: summary.seq }, (_, index) => index + 1));
}

test("a connection that is dead but not closed is noticed by itself, and at once when somebody comes back", async ({ page, newTab, way: proxy, server }) => {
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 20 });
  await page.goto(`/runs/${run}`);
  const list = await newTab();
  await list.goto("/runs");
  for (const tab of [page, list]) await expect(connection(tab)).toHaveText("Live");

  proxy.freeze();
  for (const tab of [page, list]) {
    await expect(connection(tab)).toHaveText(/^Reconnecting, as of \d\d:\d\d:\d\d UTC$/, { timeout: noticedWithinMs });
  }
  await expect(pill(page)).toHaveText(/^Running.*, as of \d\d:\d\d:\d\d UTC$/);
  await expect(list.getByRole("row").filter({ hasText: "AAPL" }).locator(".sign").first()).toHaveText("Was running");
  const elapsed = await fact(page, "Elapsed").innerText();
  await expect(pill(page)).toHaveClass(/tone-quiet/);

  proxy.thaw();
  for (const tab of [page, list]) await expect(connection(tab)).toHaveText("Live", { timeout: 20_000 });
  await expect(pill(page)).toHaveText(/^Running: [^,]+$/);
  await expect(fact(page, "Elapsed")).not.toHaveText(elapsed);

  await page.bringToFront();
  for (const what of ["online", "visibilitychange", "pageshow"] as const) {
    proxy.freeze();
    await comeBack(page, what);
    // Before the page would notice by itself.
    await expect(connection(page)).toHaveText(/^Reconnecting, as of /, { timeout: 2 * heartbeat * 1000 });
    proxy.thaw();
    await expect(connection(page)).toHaveText("Live", { timeout: 20_000 });
  }
  await stop(server, run);
  await expect(fact(page, "Connection")).toHaveText("Complete", { timeout: 20_000 });
});

test("a healthy connection is asked, and kept, when somebody comes back or the browser slept", async ({ page, way: proxy, server }) => {
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 20 });
  await page.clock.install();
  let answers = 0;
  page.on("websocket", (socket) => {
    let asked = false;
    socket.on("framesent", () => (asked = true));
    socket.on("framereceived", ({ payload }) => {
      if (asked && String(payload).includes("heartbeat")) {
        asked = false;
        answers += 1;
      }
    });
  });
  await page.goto(`/runs/${run}`);
  await expect(fact(page, "Connection")).toHaveText("Live");
  await expect.poll(() => proxy.asked.length).toBe(2);
  for (const what of ["online", "visibilitychange", "pageshow"] as const) {
    const before = answers;
    await comeBack(page, what);
    // That of the run, and that of all runs.
    await expect.poll(() => answers).toBeGreaterThanOrEqual(before + 2);
  }
  // As a laptop that was shut: the clock has gone on, and all timers ring at once.
  for (let sleep = 0; sleep < 3; sleep += 1) await page.clock.fastForward("01:00:00");
  const before = answers;
  await comeBack(page, "visibilitychange");
  await expect.poll(() => answers).toBeGreaterThanOrEqual(before + 2);
  await expect(fact(page, "Connection")).toHaveText("Live");
  expect(proxy.asked).toHaveLength(2);
  await stop(server, run);
});

const obstacles = [
  ["refuse", "refuses it"],
  ["ignore", "does not answer it"],
  ["break", "breaks it off"],
] as const;
for (const [upgrades, words] of obstacles) {
  test(`where a proxy ${upgrades}s sockets, the page is live without one, says so, and shows the run to its end`, async ({ page, way: proxy, server }) => {
    proxy.upgrades = upgrades;
    // Answers come only as a whole.
    proxy.buffers = true;
    await page.addInitScript(() => {
      const counted = window as unknown as { sockets: number };
      counted.sockets = 0;
      window.WebSocket = class extends WebSocket {
        constructor(...given: ConstructorParameters<typeof WebSocket>) {
          super(...given);
          counted.sockets += 1;
        }
      };
    });
    const { run } = await startPipeline(server, "MSFT", "2022-06-30", { charactersPerSecond: 400 });
    await page.goto(`/runs/${run}`);
    await expect(fact(page, "Connection")).toHaveText(`Live, without a socket: a proxy on the way ${words}`, { timeout: 20_000 });
    // Text comes while it is written.
    await expect(pill(page)).toHaveText(/^Running: /);
    await viewTab(page, "Transcript").click();
    await expect(transcript(page).locator(".writing").first()).toBeVisible();

    // The tab remembers it, also over a reload.
    await page.reload();
    await expect(fact(page, "Connection")).toHaveText(/^Live, without a socket: /);
    expect(await page.evaluate(() => (window as unknown as { sockets: number }).sockets)).toBe(0);

    await succeeded(server, run);
    await expect(pill(page)).toHaveText("Done");
    await expectWholeRun(page, server, run);
    // What happens elsewhere comes as well.
    await page.goto("/runs");
    await expect(connection(page)).toHaveText(/^Live, without a socket: /);
    const other = await startPipeline(server, "PEP", "2022-06-30");
    const { summary } = await succeeded(server, other.run);
    await expect(page.getByRole("row").filter({ hasText: "PEP" }).first()).toContainText(summary.result ?? "");
  });
}

test("a tab's title does not say of a count that is no longer heard that it is so", async ({ page, way: proxy, server }) => {
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { questions: true });
  await page.goto("/runs");
  await expect(page).toHaveTitle("(1) Runs · Pitwall");
  proxy.close();
  await expect(connection(page)).toHaveText(/^(Reconnecting|Offline), as of /, { timeout: 15_000 });
  await expect(page).toHaveTitle("(was 1) Runs · Pitwall");
  await stop(server, run);
  proxy.open();
  await expect(page).toHaveTitle("Runs · Pitwall", { timeout: 20_000 });
});

test("a heartbeat that contradicts what the page knows of the server's clock makes it ask for the time", async ({ page, server }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/healthz")) asked.push(request.url());
  });
  let [ahead, beats] = [0, 0];
  await page.routeWebSocket(/\/ws\/v1\//, (socket) => {
    socket.connectToServer().onMessage((message) => {
      const text = String(message);
      if (!text.startsWith('{"control":"heartbeat"')) return socket.send(message);
      const beat = JSON.parse(text) as { at: string | number };
      socket.send(JSON.stringify({ ...beat, at: shift(beat.at, ahead) }));
      beats += 1;
    });
  });
  const beatsMore = async () => {
    const before = beats;
    await expect.poll(() => beats, { timeout: 5 * heartbeat * 1_000 }).toBeGreaterThan(before + 3);
  };
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 20 });
  await page.goto(`/runs/${run}`);
  await expect(fact(page, "Connection")).toHaveText("Live");
  await beatsMore();
  expect(asked, "all is in agreement").toEqual([]);
  // The server's clock is set back, as far as its heartbeats say: the page asks, once.
  ahead = -3_600_000;
  await expect.poll(() => asked.length, { timeout: 15_000 }).toBe(1);
  await beatsMore();
  expect(asked).toHaveLength(1);
  await stop(server, run);
});

/** A moment as the protocol writes it, some milliseconds later. */
function shift(moment: string | number, by: number): string | number {
  return typeof moment === "number" ? moment + by : new Date(new Date(moment).getTime() + by).toISOString();
}

test("a tab without a socket tries one again from time to time, and takes it", async ({ page, way: proxy, server }) => {
  proxy.upgrades = "refuse";
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 20 });
  await page.clock.install();
  await page.goto(`/runs/${run}`);
  await expect(fact(page, "Connection")).toHaveText(/^Live, without a socket: /, { timeout: 20_000 });
  const asked = proxy.asked.length;
  await page.clock.fastForward(20 * heartbeat * 1000);
  await expect.poll(() => proxy.asked.length).toBeGreaterThan(asked);
  await expect(fact(page, "Connection")).toHaveText(/^Live, without a socket: /);

  proxy.upgrades = "pass";
  await page.clock.fastForward(20 * heartbeat * 1000);
  await expect(fact(page, "Connection")).toHaveText("Live", { timeout: 20_000 });
  await stop(server, run);
  await expect(fact(page, "Connection")).toHaveText("Complete");
});

test("a run that ended while nothing got through is not shown as running", async ({ page, newTab, way: proxy, server }) => {
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 2000 });
  await page.goto(`/runs/${run}`);
  await expect(fact(page, "Connection")).toHaveText("Live");
  const list = await newTab();
  await list.goto("/");
  await expect(connection(list)).toHaveText("Live");
  proxy.close();
  await succeeded(server, run);
  await expect(fact(page, "Connection")).toHaveText(/^(Reconnecting|Offline), as of /);
  await expect(pill(page)).toHaveText(/^(Running.*|Queued), as of \d\d:\d\d:\d\d UTC$/);
  await expect(connection(list)).toHaveText(/^(Reconnecting|Offline), as of /);
  await expect(list.getByText(/^Running now|^Running$/)).toHaveCount(0);
  await expect(page.getByText(/^working$|^Live$/)).toHaveCount(0);
  proxy.open();
  await expect(pill(page)).toHaveText("Done", { timeout: 20_000 });
  await expectWholeRun(page, server, run);
});

test("what ended while the server was away is told: a session, and a run that was deleted", async ({ page, way: proxy, server, problems }) => {
  problems.tolerate(/status of 40[14]/);
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 20 });
  await page.goto(`/runs/${run}`);
  await expect(fact(page, "Connection")).toHaveText("Live");
  proxy.close();
  await stop(server, run);
  await expect.poll(async () => (await server.fetch(`/api/v1/runs/${run}`, { method: "DELETE" })).status).toBe(204);
  await expect(fact(page, "Connection")).toHaveText(/^(Reconnecting|Offline)/);
  proxy.open();
  await expect(fact(page, "Connection")).toHaveText("Complete", { timeout: 20_000 });

  await page.goto("/runs");
  await expect(connection(page)).toHaveText("Live");
  proxy.close();
  await expect(connection(page)).toHaveText(/^(Reconnecting|Offline)/);
  await page.context().clearCookies();
  proxy.open();
  await expect(page).toHaveURL(/sign-in/, { timeout: 20_000 });
});

/** Numbers from 0 to below 1 that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What the page said at a moment: whether it is live, and how many events it knows. */
type Sample = { at: number; live: boolean; seq: number };

// SEEDS=20 tries twenty, each with a run of a minute.
const seeds = Number(process.env.SEEDS ?? 2);
const isLong = process.env.SEEDS !== undefined;
for (let seed = 1; seed <= seeds; seed += 1) {
  test(`behind a proxy that misbehaves at random, the page is not wrong about being live and ends with the whole run (seed ${seed})`, async ({ page, newTab, way: proxy, server }) => {
    test.setTimeout(180_000);
    const random = randomFrom(seed);
    const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: isLong ? 150 : 700 });
    await page.goto(`/runs/${run}?view=transcript`);
    const samples: Sample[] = [];
    await page.exposeFunction("sampled", (sample: Sample) => samples.push(sample));
    await page.evaluate(() => {
      const text = (selector: string) => document.querySelector(selector)?.textContent ?? "";
      setInterval(() => {
        const tab = [...document.querySelectorAll('[role="tab"]')].find((tab) => tab.textContent?.startsWith("Events"));
        const seq = Number(/\d+/.exec(tab?.textContent?.replaceAll(",", "") ?? "")?.[0]);
        (window as unknown as { sampled: (sample: Sample) => void }).sampled({
          at: Date.now(), live: text(".run-facts .connection").startsWith("Live"), seq,
        });
      }, 250);
    });

    const isOver = async () => (await runView(server, run)).summary.status === "succeeded";
    while (!(await isOver())) {
      proxy.behave();
      switch (Math.floor(random() * 6)) {
        case 0: proxy.cut(); break;
        case 1: proxy.freeze(); break;
        case 2: proxy.close(); break;
        case 3: proxy.delay = random() * 800; break;
        case 4: proxy.upgrades = (["refuse", "ignore", "break"] as const)[Math.floor(random() * 3)] ?? "refuse"; proxy.cut(); break;
        case 5: proxy.buffers = true; proxy.upgrades = "refuse"; proxy.cut(); break;
      }
      await page.waitForTimeout(500 + random() * 2500);
    }
    proxy.behave();
    await expect(pill(page)).toHaveText("Done", { timeout: 45_000 });
    await expect(fact(page, "Connection")).toHaveText("Complete");

    const events = (await (await server.fetch(`/api/v1/runs/${run}/events`)).json()) as { seq: number; at: number }[];
    const wrong = samples.filter(({ at, live, seq }) => {
      const next = events[seq];
      return live && next !== undefined && next.at < at - noticedWithinMs;
    });
    expect(samples.length).toBeGreaterThan(10);
    expect(samples.some((sample) => sample.live)).toBe(true);
    expect(wrong, "moments at which it said that it is live and was not").toEqual([]);

    const undisturbed = await newTab();
    await undisturbed.goto(`${server.url}/runs/${run}?view=transcript`);
    await expect(async () => expect(await completeTurns(page)).toEqual(await completeTurns(undisturbed))).toPass();
    await expectWholeRun(page, server, run);
  });
}

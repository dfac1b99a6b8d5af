import { expect, test } from "./fixtures";
import { fact } from "./run-page";
import { startPipeline, stop } from "./runs";

// A page that polls in place of a socket holds places at the server, of which an account has so many.

test("a page without a socket gives its places back when it is left, and takes others when it is shown again", async ({ page, newTab, server, problems }) => {
  // What was given back is asked for once more by a page that was only put aside.
  problems.tolerate(/status of 404/);
  const open = async () => ((await (await server.fetch("/api/v1/status")).json()) as { sockets: number }).sockets;
  await expect.poll(open, { message: "nobody else is here" }).toBe(0);
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 20 });
  for (const tab of [page, await newTab()]) {
    await tab.routeWebSocket(/\/ws\/v1\//, (socket) => void socket.close());
    await tab.goto(`/runs/${run}`);
    await expect(fact(tab, "Connection")).toHaveText(/^Live, without a socket: /, { timeout: 20_000 });
    // Of the run, and of all runs.
    await expect.poll(open).toBe(2);
    // Left by an address, as the fixture's own way waits for a page of Pitwall.
    if (tab !== page) continue;
    await tab.evaluate(() => void (location.href = "about:blank"));
    // The server itself would notice after two minutes.
    await expect.poll(open, { timeout: 10_000 }).toBe(0);
  }

  const aside = page.context().pages()[1];
  await aside.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  await expect.poll(open).toBe(0);
  await aside.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await expect.poll(open, { timeout: 15_000 }).toBe(2);
  await expect(fact(aside, "Connection")).toHaveText(/^Live, without a socket: /, { timeout: 20_000 });
  await stop(server, run);
});

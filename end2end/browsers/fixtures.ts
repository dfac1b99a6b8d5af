import { expect, test as base } from "@playwright/test";
import { Server } from "../tests/server";
import { Browser, type Kind } from "./browser";
import { Tab } from "./tab";

export { expect };

/** Which browser a project tests. */
export type Choice = { kind: Kind };

export const test = base.extend<{ tab: Tab }, Choice & { browserOfKind: Browser; server: Server }>({
  kind: ["firefox", { scope: "worker", option: true }],

  server: [
    async ({}, use) => {
      // The form's speed "Normal": a few seconds for a run.
      const server = await Server.launch({ PITWALL_REHEARSAL_SPEED: "1500" });
      await use(server);
      await server.remove();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  browserOfKind: [
    async ({ kind, server }, use) => {
      const browser = await Browser.launch(kind);
      console.log(`This is ${await browser.version()}.`);
      // It has come in by the address that the server prints, once.
      await new Tab(browser, server.url).open(server.addressToOpen);
      await use(browser);
      await browser.quit();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  // A test ends with no error in the page's console.
  tab: async ({ browserOfKind, server }, use) => {
    await browserOfKind.takeErrors();
    await use(new Tab(browserOfKind, server.url));
    expect(await browserOfKind.takeErrors(), "errors in the browser").toEqual([]);
  },
});

import { type Page, expect, test as base } from "@playwright/test";
import { Server, type Variables } from "./server";

export { expect, type Page };

/** What went wrong in the pages of one test. */
export class Problems {
  private readonly found: string[] = [];
  private readonly tolerated: RegExp[] = [];

  /** Lets a test provoke messages that match, such as those of a lost connection. */
  tolerate(pattern: RegExp): void {
    this.tolerated.push(pattern);
  }

  /** Collects the page's errors from now on. */
  watch(page: Page): void {
    page.on("pageerror", (error) => this.found.push(`page error: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") {
        this.found.push(`console: ${message.text()} (${message.location().url})`);
      }
    });
  }

  /** The messages that the test did not expect. */
  unexpected(): string[] {
    return this.found.filter((line) => !this.tolerated.some((pattern) => pattern.test(line)));
  }
}

type TestFixtures = {
  problems: Problems;
  /** Opens a further tab of the same browser, watched like the first. */
  newTab: () => Promise<Page>;
  serverOutput: void;
};

type WorkerFixtures = {
  /** Settings of the worker's server. Tests that set other ones get another server. */
  variables: Variables;
  /** The worker's server. A test that kills it starts it again. */
  server: Server;
};

export const test = base.extend<TestFixtures, WorkerFixtures>({
  variables: [{}, { scope: "worker", option: true }],

  server: [
    async ({ variables }, use) => {
      const server = await Server.launch(variables);
      await use(server);
      await server.remove();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  baseURL: async ({ server }, use) => {
    await use(server.url);
  },

  // Every browser has come in by the address that the server prints, once.
  storageState: async ({ server, playwright }, use) => {
    const visitor = await playwright.request.newContext();
    await visitor.get(server.addressToOpen);
    await use(await visitor.storageState());
    await visitor.dispose();
  },

  problems: async ({}, use) => {
    const problems = new Problems();
    await use(problems);
    expect(problems.unexpected(), "errors in the browser").toEqual([]);
  },

  page: async ({ page, problems, javaScriptEnabled }, use) => {
    prepare(page, problems, javaScriptEnabled);
    await use(page);
  },

  newTab: async ({ context, problems, javaScriptEnabled }, use) => {
    await use(async () => {
      const page = await context.newPage();
      prepare(page, problems, javaScriptEnabled);
      return page;
    });
  },

  serverOutput: [
    async ({ server }, use, testInfo) => {
      server.takeOutput();
      await use();
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("server output", { body: server.takeOutput(), contentType: "text/plain" });
      }
    },
    { auto: true },
  ],
});

/** Makes every load wait until the page is live: clicks before that are lost. */
function prepare(page: Page, problems: Problems, scripts: boolean | undefined): void {
  problems.watch(page);
  if (scripts === false) return;
  const live = () => page.locator("html[data-hydrated]").waitFor({ state: "attached" });
  const goto = page.goto.bind(page);
  page.goto = async (url, options) => {
    const response = await goto(url, options);
    await live();
    return response;
  };
  const reload = page.reload.bind(page);
  page.reload = async (options) => {
    const response = await reload(options);
    await live();
    return response;
  };
}

import { expect, test } from "./fixtures";
import { startPipeline, stop } from "./runs";
import { Server } from "./server";

test.describe("with the printed token", () => {
  test.use({ storageState: { cookies: [], origins: [] } });

  test("the address to open loses its token, and the page runs under its policy", async ({ page, server }) => {
    await page.goto(server.addressToOpen);
    expect(page.url()).toBe(`${server.url}/`);
    await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
    const cookies = await page.context().cookies();
    expect(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite }))).toEqual([{ httpOnly: true, sameSite: "Strict" }]);
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
  });

  test("an inline script does not run", async ({ page, server, problems }) => {
    problems.tolerate(/Content Security Policy/);
    await page.goto(server.addressToOpen);
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.documentElement.dataset.injected = 'yes'";
      document.body.append(script);
    });
    await expect(page.locator("html")).not.toHaveAttribute("data-injected", "yes");
  });

  test.describe("without scripts", () => {
    test.use({ javaScriptEnabled: false });

    test("whoever is not in signs in with the token, and is led on", async ({ page, server }) => {
      await page.goto("/runs?search=AAPL");
      await page.getByLabel("Token").fill("not the token");
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page.getByRole("alert")).toContainText("not the token that the server printed");
      await page.getByLabel("Token").fill(server.token);
      await page.keyboard.press("Enter");
      await expect(page).toHaveURL(`${server.url}/runs?search=AAPL`);
      await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
    });
  });

  test("whoever is not in is led to sign in, with the token, and back", async ({ page, server }) => {
    await page.goto("/runs?search=AAPL");
    await expect(page.getByRole("heading", { name: "Sign in to Pitwall" })).toBeVisible();
    await page.getByLabel("Token").fill("not the token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toContainText("not the token that the server printed");
    await page.getByLabel("Token").fill(server.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${server.url}/runs?search=AAPL`);
  });
});

test.describe("with accounts", () => {
  test.use({ storageState: { cookies: [], origins: [] } });
  let withAccounts: Server;

  test.beforeAll(async () => {
    withAccounts = await Server.launch({}, { anna: "administrator", bert: "owner", carl: "viewer" });
  });

  test.afterAll(async () => {
    await withAccounts.remove();
  });

  test("an account signs in, makes a token, removes an account, and signs out in all its tabs", async ({ page, newTab, problems }) => {
    problems.tolerate(/WebSocket|401|403/);
    await page.goto(`${withAccounts.url}/account`);
    await page.getByLabel("Name").fill("anna");
    await page.getByLabel("Password").fill(Server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("heading", { name: "Account", exact: true })).toBeVisible();
    await expect(page.getByText("(this browser)")).toBeVisible();
    await expect(page.getByText("Nothing is shared")).toBeVisible();
    await expect(page.getByRole("table", { name: "Accounts" })).toContainText("bert");

    await page.getByRole("textbox", { name: "For" }).fill("nightly");
    await page.getByRole("button", { name: "Make a token" }).click();
    await expect(page.getByText("shown this once")).toBeVisible();
    await page.getByRole("button", { name: "Done" }).click();
    await expect(page.getByRole("table", { name: "Tokens" })).toContainText("nightly");
    await page.getByRole("button", { name: "Revoke the token nightly" }).click();
    await expect(page.getByText("No tokens")).toBeVisible();

    await page.getByRole("button", { name: "Remove the account carl" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove the account carl?" });
    await dialog.getByRole("button", { name: "Keep it" }).click();
    await expect(page.getByRole("table", { name: "Accounts" })).toContainText("carl");
    await page.getByRole("button", { name: "Remove the account carl" }).click();
    await dialog.getByRole("button", { name: "Remove the account" }).click();
    await expect(page.getByRole("table", { name: "Accounts" })).not.toContainText("carl");

    const other = await newTab();
    await other.goto(`${withAccounts.url}/runs`);
    await expect(other.locator(".connection")).toContainText("Live");
    await page.getByRole("button", { name: "Sign out" }).click();
    for (const tab of [page, other]) {
      await expect(tab.getByRole("heading", { name: "Sign in to Pitwall" })).toBeVisible();
    }
  });
});

test("a shared link opens the run's page to read, and nothing to change", async ({ server, page: own, browser }) => {
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { charactersPerSecond: 200 });
  await own.goto(`${server.url}/runs/${run}`);
  await own.locator("html[data-hydrated]").waitFor();
  await own.getByRole("button", { name: "Share" }).click();
  const dialog = own.getByRole("dialog", { name: "Share this run" });
  await dialog.getByRole("button", { name: "Share", exact: true }).click();
  const link = await dialog.getByLabel("Link").inputValue();
  expect(link).toContain(`${server.url}/s/`);

  const visitor = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await visitor.newPage();
  await page.goto(link);
  await expect(page).toHaveURL(`${server.url}/runs/${run}`);
  await expect(page.getByText("change nothing")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("AAPL");
  await expect(page.locator(".connection")).toContainText("Live");
  await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
  await visitor.close();
  await stop(server, run);
});

import { type Page, expect, test } from "./fixtures";
import { asks, pill, viewTab } from "./run-page";
import { finishedPipeline, reaches, startPipeline, stop } from "./runs";
import { Server } from "./server";

// What a person typed or chose in a form that is not sent yet outlives a reload of the tab, is never sent because of
// it, and is gone once it is sent or they sign out.

/** What the tab keeps. */
const kept = (page: Page) => page.evaluate(() => JSON.stringify({ ...sessionStorage }));

/** A question beside a run, as it is typed. */
const question = (page: Page) => page.getByRole("textbox", { name: "Your question" });

/** Requests that change something. */
function acts(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (/\/rpc\/(start_run|answer_input|ask_run|fork_run|create_portfolio|stop_run)/.test(request.url())) asked.push(request.url());
  });
  return asked;
}

test("the start form keeps all that was typed and chosen over a reload, and forgets it once the run is started", async ({ page, server }) => {
  const sent = acts(page);
  await page.goto("/start");
  const form = page.getByRole("form", { name: "Start a run" });
  await form.getByRole("combobox", { name: "Ticker" }).fill("KO");
  await form.getByLabel("As of").fill("2021-03-31");
  await form.getByRole("checkbox", { name: /^News/ }).uncheck();
  await form.locator("details.fold > summary").click();
  await form.getByLabel("Tokens").fill("900000");
  await form.getByRole("radio", { name: /^Chosen nodes/ }).check();
  await form.getByRole("checkbox", { name: "Trader" }).check();
  await form.getByRole("checkbox", { name: /Agents may ask you/ }).check();

  await page.reload();
  await expect(form.getByRole("combobox", { name: "Ticker" })).toHaveValue("KO");
  await expect(form.getByRole("listbox", { name: "Instruments" })).toBeHidden();
  await expect(form.getByLabel("As of")).toHaveValue("2021-03-31");
  await expect(form.getByRole("checkbox", { name: /^News/ })).not.toBeChecked();
  await expect(form.getByText("pauses for approval, may ask you")).toBeVisible();
  await form.locator("details.fold > summary").click();
  await expect(form.getByLabel("Tokens")).toHaveValue("900000");
  await expect(form.getByRole("checkbox", { name: "Trader" })).toBeChecked();
  expect(sent).toEqual([]);

  // An address that asks for another run is not answered with this one.
  await page.goto("/start?ticker=XOM");
  await expect(form.getByRole("combobox", { name: "Ticker" })).toHaveValue("XOM");
  await page.goto("/start");
  await expect(form.getByRole("combobox", { name: "Ticker" })).toHaveValue("KO");

  const [request] = await Promise.all([
    page.waitForRequest("**/rpc/start_run*"),
    form.getByRole("button", { name: "Start the run" }).click(),
  ]);
  for (const what of ["KO", "2021-03-31", "900000", "trader"]) expect(request.postData()).toContain(what);
  expect(request.postData()).not.toContain("news");
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]{36}/);
  expect(await kept(page)).not.toContain("900000");
  await stop(server, new URL(page.url()).pathname.split("/")[2]);
  await page.goto("/start");
  await expect(form.getByRole("combobox", { name: "Ticker" })).not.toHaveValue("KO");
});

test("what is chosen from the list beside a field stays over a reload, and not what was typed to find it", async ({ page }) => {
  await page.goto("/start");
  const ticker = page.getByRole("form", { name: "Start a run" }).getByRole("combobox", { name: "Ticker" });
  await ticker.fill("micro");
  await page.getByRole("listbox", { name: "Instruments" }).getByRole("option", { name: /MSFT/ }).click();
  await expect(ticker).toHaveValue("MSFT");
  await expect.poll(() => kept(page)).toContain("MSFT");
  await page.reload();
  await expect(ticker).toHaveValue("MSFT");
  // What is put back is there by then, and nothing is put over it later.
  await page.waitForTimeout(500);
  await expect(ticker).toHaveValue("MSFT");
});

test("a portfolio that was being opened keeps its name", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "New portfolio" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Half a name");
  await page.reload();
  await page.getByRole("button", { name: "New portfolio" }).first().click();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Half a name");
});

test("a question beside a run stays until it is asked, also in another view", async ({ page, server }) => {
  const sent = acts(page);
  const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
  await page.goto(`/runs/${run}?view=chat`);
  await question(page).fill("Why was the debt not weighed?");
  await viewTab(page, "Timeline").click();
  await page.reload();
  await viewTab(page, "Chat").click();
  await expect(question(page)).toHaveValue("Why was the debt not weighed?");
  expect(sent).toEqual([]);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(question(page)).toHaveValue("");
  await page.reload();
  await expect(question(page)).toHaveValue("");
  expect(await kept(page)).not.toContain("weighed");
});

test("the filters of the events stay", async ({ page, server }) => {
  const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
  await page.goto(`/runs/${run}?view=events`);
  const narrowed = page.getByText(/^\d+ of \d+ events$/);
  await page.getByLabel("Kind").selectOption({ label: "call finished" });
  await page.getByRole("searchbox", { name: "Text" }).fill("trader");
  // Both filters have been applied: one call of the trader has finished.
  await expect(narrowed).toHaveText(/^1 of /);
  const count = await narrowed.innerText();
  await page.reload();
  await expect(page.getByLabel("Kind")).toHaveValue("call_finished");
  await expect(page.getByRole("searchbox", { name: "Text" })).toHaveValue("trader");
  await expect(page.getByText(count, { exact: true })).toBeVisible();
});

test("a choice that answers a question stays, and is not sent by itself", async ({ page, server }) => {
  const { run } = await startPipeline(server, "AAPL", "2022-06-30", { questions: true });
  await reaches(server, run, "waiting");
  const sent = acts(page);
  await page.goto(`/runs/${run}`);
  await asks(page).getByRole("radio", { name: "Less" }).check();
  await page.reload();
  await expect(asks(page).getByRole("radio", { name: "Less" })).toBeChecked();
  expect(sent).toEqual([]);
  await asks(page).getByRole("button", { name: "Answer" }).click();
  await expect(pill(page)).toHaveText("Done");
  expect(await kept(page)).not.toContain("Less");
  await page.reload();
  await expect(page.getByRole("region", { name: "Not sent" })).toHaveCount(0);
});

test("a comment on a pause stays in its form, and its words are not lost when somebody else answers", async ({ page, newTab, server }) => {
  const { run } = await startPipeline(server, "PFE", "2022-06-30", { approval: { type: "nodes", nodes: ["trader"] } });
  await reaches(server, run, "waiting");
  await page.goto(`/runs/${run}`);
  const words = "Name the level at which you are wrong.";
  const comment = asks(page).getByLabel("What it shall do differently");
  await asks(page).getByRole("button", { name: "Send back" }).click();
  await comment.fill(words);
  await page.reload();
  await expect(comment).toHaveValue(words);

  const other = await newTab();
  await other.goto(`/runs/${run}`);
  await asks(other).getByRole("button", { name: "Approve" }).click();
  const left = page.getByRole("region", { name: "Not sent" });
  await expect(left).toContainText("Your answer was not sent. Answered. You: approved");
  await expect(left).toContainText('May "Trader" begin?');
  await expect(left).toContainText(words);
  // Whatever becomes of the page.
  await page.reload();
  await expect(left).toContainText(words);
  await expect(other.getByRole("region", { name: "Not sent" })).toHaveCount(0);
  await left.getByRole("button", { name: "Discard" }).click();
  await expect(left).toHaveCount(0);
  expect(await kept(page)).not.toContain("wrong");
});

test("an answer to a question that was asked anew is not the answer to the new one", async ({ page, newTab, server }) => {
  const { run } = await startPipeline(server, "WMT", "2022-06-30", { approval: { type: "nodes", nodes: ["trader"] } });
  await reaches(server, run, "waiting");
  await page.goto(`/runs/${run}`);
  await asks(page).getByRole("button", { name: "Reject" }).click();
  await asks(page).getByLabel(/^Reason/).fill("The figures are of another day.");
  const asked = await asks(page).getByRole("time").innerText();

  const other = await newTab();
  await other.goto(`/runs/${run}`);
  await asks(other).getByRole("button", { name: "Send back" }).click();
  await asks(other).getByLabel("What it shall do differently").fill("Again, please.");
  await asks(other).getByRole("button", { name: "Send back", exact: true }).last().click();
  await expect(page.getByRole("region", { name: "Not sent" })).toContainText("The figures are of another day.");
  await expect(asks(page).getByRole("time")).not.toHaveText(asked);
  await expect(asks(page).getByLabel(/^Reason/)).toHaveCount(0);
  await stop(server, run);
});

test("an entry of the state that was being changed is put back into its form", async ({ page, server }) => {
  const { run } = await startPipeline(server, "MRK", "2022-06-30", { approval: { type: "nodes", nodes: ["trader"] } });
  await reaches(server, run, "waiting");
  await page.goto(`/runs/${run}`);
  await asks(page).getByRole("button", { name: "Edit the state" }).click();
  await asks(page).getByLabel("Change an entry of the state").selectOption("market_report");
  const value = asks(page).getByRole("textbox", { name: "market_report" });
  await value.fill("rewritten by hand");
  await page.reload();
  await expect(value).toHaveValue("rewritten by hand");
  await stop(server, run);
});

test.describe("with accounts", () => {
  test.use({ storageState: { cookies: [], origins: [] } });

  const signIn = async (page: Page, name: string) => {
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill(Server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "All kinds" }).click();
    await expect(page.getByRole("button", { name: "Start the run" })).toBeEnabled();
  };

  test("a draft is its writer's alone, outlives the end of a session, and is gone with a sign-out in any tab", async ({ page, newTab, context, problems }) => {
    problems.tolerate(/WebSocket|401|403/);
    const server = await Server.launch({}, { anna: "administrator", bert: "owner" });
    const ticker = page.getByRole("combobox", { name: "Ticker", exact: true });
    await page.goto(`${server.url}/sign-in`);
    await signIn(page, "anna");
    await ticker.fill("KO");
    expect(await kept(page)).toContain("KO");
    expect(await kept(page)).not.toContain(Server.password);

    // Her session is gone; she comes back.
    await context.clearCookies();
    await page.goto(`${server.url}/sign-in`);
    await signIn(page, "anna");
    await expect(ticker).toHaveValue("KO");

    // Somebody else comes in in the same tab.
    await context.clearCookies();
    await page.goto(`${server.url}/sign-in`);
    await signIn(page, "bert");
    await expect(ticker).not.toHaveValue("KO");
    expect(await kept(page)).not.toContain("KO");

    await ticker.fill("PEP");
    const other = await newTab();
    await other.goto(`${server.url}/account`);
    await other.getByRole("button", { name: "Sign out" }).click();
    for (const tab of [page, other]) {
      await expect(tab.getByRole("heading", { name: "Sign in to Pitwall" })).toBeVisible();
      await expect.poll(() => kept(tab)).not.toContain("PEP");
    }
    await server.remove();
  });
});

test("what a tab keeps is bounded, and a browser that keeps nothing works", async ({ page, server }) => {
  const { run } = await finishedPipeline(server, "LLY", "2022-06-30");
  const length = () => page.evaluate(() => Object.values({ ...sessionStorage }).join("").length);
  await page.goto(`/runs/${run}?view=events`);
  const words = page.getByRole("searchbox", { name: "Text" });
  await words.fill("w".repeat(200_000));
  await expect.poll(length).toBeGreaterThan(200_000);
  await words.fill("w".repeat(300_000));
  await expect.poll(length).toBeLessThan(10_000);

  await page.addInitScript("Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })");
  await page.goto(`/runs/${run}?view=chat`);
  await question(page).fill("Why?");
  await expect(page.getByRole("button", { name: "Ask", exact: true })).toBeEnabled();
});

import { exact, grouped } from "./decimals";
import { test as base, expect } from "./fixtures";
import { Provider } from "./provider";
import { card, cards, fact, inspector, pill, viewTab } from "./run-page";
import { reaches, runView } from "./runs";
import { Server } from "./server";

const key = "sk-end2end-4c1f9b7d20";

// The first answer takes 2,000 and 500 tokens, and each next 400 and 100 more.
const use = (answer: number): [number, number] => [2_000 + 400 * answer, 500 + 100 * answer];

const test = base.extend<object, { provider: Provider }>({
  provider: [
    async ({}, use_) => {
      const provider = await Provider.start(use);
      await use_(provider);
      await provider.end();
    },
    { scope: "worker" },
  ],
  server: [
    async ({ provider }, use_) => {
      const server = await Server.launch({
        PITWALL_MODEL_BASE_URL: provider.baseUrl,
        PITWALL_MODEL_KEY: key,
        PITWALL_MODEL: "gpt-5-mini",
      });
      await use_(server);
      await server.remove();
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

test("a run with a real model shows the tokens and the exact cost that its calls add up to, and never the key", async ({ page, server, provider, request }) => {
  // Everything that reaches the browser over the run's socket.
  const frames: string[] = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
  const answers: string[] = [];
  page.on("response", (response) => void response.text().then((text) => answers.push(text), () => {}));

  await page.goto("/start");
  const form = page.getByRole("form", { name: "Start a run" });
  await expect(form.getByRole("radio", { name: "gpt-5-mini" })).toBeChecked();
  await form.getByRole("combobox", { name: "Ticker" }).fill("MSFT");
  await form.getByRole("combobox", { name: "Ticker" }).press("Enter");
  await form.getByLabel("As of").fill("2022-06-30");
  await form.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\//);
  await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
  const run = new URL(page.url()).pathname.split("/").at(-1) ?? "";

  // n calls: 2000 n + 400 (0 + 1 + … + n−1) tokens in, a quarter of that out.
  const n = provider.usages.length;
  expect(n).toBeGreaterThan(10);
  const tokensIn = 2_000 * n + 400 * ((n * (n - 1)) / 2);
  const tokensOut = 500 * n + 100 * ((n * (n - 1)) / 2);
  const sum = (part: "prompt_tokens" | "completion_tokens") => provider.usages.reduce((total, usage) => total + usage[part], 0);
  expect([sum("prompt_tokens"), sum("completion_tokens")]).toEqual([tokensIn, tokensOut]);
  // gpt-5-mini: $0.25 for a million tokens in, $2 for a million out.
  const cost = (exact("0.25") * BigInt(tokensIn) + exact("2") * BigInt(tokensOut)) / 1_000_000n;

  const { summary } = await runView(server, run);
  expect(summary.totals).toMatchObject({ model_calls: n, tokens_in: tokensIn, tokens_out: tokensOut });
  expect(exact(summary.totals.cost)).toBe(cost);
  await expect(fact(page, "Tokens")).toHaveText((tokensIn + tokensOut).toLocaleString("en-US"));
  await expect(fact(page, "Cost")).toHaveText(`$${grouped(cost, cost < exact("1") ? 4 : 2)}`);

  // A real model answered, and nothing claims otherwise.
  await expect(page.getByText("Rehearsal model:")).toHaveCount(0);
  await expect(card(page, "Market analyst")).toContainText("gpt-5-mini");
  await expect(inspector(page).getByRole("article")).toContainText("Overweight");
  await card(page, "Trader").click();
  await expect(inspector(page)).toContainText("The figures were read and weighed");

  // The key was used for the provider, and stands nowhere else.
  expect([...provider.credentials]).toEqual([`Bearer ${key}`]);
  for (const view of ["Timeline", "Transcript", "Events"]) {
    await viewTab(page, view).click();
    answers.push(await page.content());
  }
  const paths = [
    "/", "/runs", `/runs/${run}`, `/runs/${run}?view=transcript`, "/portfolios/main_portfolio",
    "/api/v1/start-options", "/api/v1/runs", `/api/v1/runs/${run}`, `/api/v1/runs/${run}/events?limit=1000`,
    "/api/v1/portfolios", "/api/v1/openapi.json", "/api/run/", "/healthz",
  ];
  for (const path of paths) {
    const response = await request.get(path);
    expect(response.ok(), path).toBe(true);
    answers.push(await response.text());
  }
  answers.push(...frames, server.takeOutput());
  expect(frames.length).toBeGreaterThan(10);
  expect(answers.filter((text) => text.includes(key))).toEqual([]);
});

/** A run whose only analyst has asked what the provider is to ask. */
async function asking(server: Server, date: string): Promise<string> {
  const workflow = { type: "pipeline", ticker: "CVX", date, analysts: ["market"] };
  const response = await server.fetch("/api/v1/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ workflow, questions: true }),
  });
  const { run } = (await response.json()) as { run: string };
  await reaches(server, run, "waiting");
  return run;
}

test("an object that a model asks a person for is filled in field by field, checked, and told to the model", async ({ page, server, provider }) => {
  provider.question = {
    question: "How large may the position be?",
    why: "The data cannot tell what a person can bear.",
    schema: {
      type: "object",
      properties: {
        size_limit: { type: "integer", description: "Shares at most", minimum: 1 },
        mood: { enum: ["calm", "bold"] },
        hedge: { type: "boolean", title: "Hedge it" },
      },
      required: ["size_limit", "mood"],
    },
  };
  const run = await asking(server, "2022-06-30");
  await page.goto(`/runs/${run}`);
  const question = page.getByRole("article", { name: "How large may the position be?" });
  await expect(question.getByText("Shares at most")).toBeVisible();
  await question.getByLabel("Size limit").fill("a few");
  await question.getByRole("button", { name: "Answer" }).click();
  await expect(question.getByText("Write a whole number, such as 10.")).toBeVisible();
  await expect(question.getByText("This is needed.")).toBeVisible();

  await question.getByLabel("Size limit").fill("12");
  await question.getByLabel("Mood").selectOption("bold");
  await question.getByLabel("Hedge it").selectOption("yes");
  await question.getByRole("button", { name: "Answer" }).click();
  await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
  expect(provider.answers.map((answer) => JSON.parse(answer) as unknown)).toContainEqual({ size_limit: 12, mood: "bold", hedge: true });
});

test("what the server does not take of an object is said, and what was typed stays", async ({ page, server, provider, problems }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 422/);
  provider.question = {
    question: "How many shares?",
    why: "You know your purse.",
    schema: { type: "object", properties: { shares: { type: "integer", multipleOf: 5 } }, required: ["shares"] },
  };
  const run = await asking(server, "2022-06-29");
  await page.goto(`/runs/${run}`);
  const question = page.getByRole("article", { name: "How many shares?" });
  await question.getByLabel("Shares").fill("12");
  await question.getByRole("button", { name: "Answer" }).click();
  await expect(question.getByRole("alert")).toHaveText(/^Not taken: .*12 is not a multiple of 5/);
  await expect(question.getByLabel("Shares")).toHaveValue("12");
  await question.getByLabel("Shares").fill("15");
  await question.getByRole("button", { name: "Answer" }).click();
  await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
});

test("a call in line says so, and tokens in flight are an estimate until the answer is whole", async ({ page }) => {
  // A small server, which is asked one thing at a time.
  const provider = await Provider.start(use);
  const server = await Server.launch({
    PITWALL_MODEL_BASE_URL: provider.baseUrl,
    PITWALL_MODEL_KEY: key,
    PITWALL_MODEL: "gpt-5-mini",
    PITWALL_MODEL_REQUESTS_AT_ONCE: "1",
  });
  try {
    const release = provider.hold();
    await page.goto(server.addressToOpen);
    const workflow = { type: "pipeline", ticker: "CVX", date: "2022-06-30", analysts: ["market", "news"] };
    const response = await server.fetch("/api/v1/runs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ workflow }),
    });
    const { run } = (await response.json()) as { run: string };
    await page.goto(`${server.url}/runs/${run}`);

    // One analyst is being answered, the other one is the next.
    await expect(cards(page).filter({ hasText: "waits for the model, next in line" })).toHaveCount(1);
    await expect(cards(page).filter({ hasText: /~\d/ })).toHaveCount(1);
    await expect(fact(page, "Tokens")).toHaveText(/^~\d/);

    release();
    await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
    const { summary } = await runView(server, run);
    const tokens = summary.totals.tokens_in + summary.totals.tokens_out;
    await expect(fact(page, "Tokens")).toHaveText(tokens.toLocaleString("en-US"));
    await expect(cards(page).filter({ hasText: /~\d|waits for the model/ })).toHaveCount(0);
  } finally {
    // The page would say in the console that its server is gone.
    await page.goto("about:blank");
    await server.remove();
    await provider.end();
  }
});

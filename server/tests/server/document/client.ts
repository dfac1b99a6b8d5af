// A client whose types come from the server's OpenAPI document: it starts a run, reads it to its end,
// and reads a portfolio. It is compiled strictly, so a wrong word in the document does not compile,
// and run, so that what the document says holds of what the server sends.
import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

type RunView = components["schemas"]["RunView"];

const { SERVER: baseUrl, TOKEN: token } = process.env;
const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });

function there<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.error) throw new Error(`${answer.error.status}: ${answer.error.detail}`);
  if (answer.data === undefined) throw new Error("The answer has no content.");
  return answer.data;
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It does not hold that ${what}.`);
}

async function ended(run: string): Promise<RunView> {
  for (;;) {
    const view = there(await api.GET("/api/v1/runs/{run}", { params: { path: { run } } }));
    if (["succeeded", "failed", "cancelled"].includes(view.summary.status)) return view;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function main(): Promise<void> {
  const { run } = there(
    await api.POST("/api/v1/runs", {
      body: {
        workflow: { type: "pipeline", ticker: "AAPL", date: "2022-06-30", analysts: ["market"] },
        model: { type: "rehearsal", characters_per_second: 0 },
      },
    }),
  );
  const view = await ended(run);
  expect(view.summary.status === "succeeded", "the run succeeds");
  expect((view.products ?? []).some((product) => product.kind === "trading.rating"), "it has a rating");
  const cost: string = view.summary.totals.cost;
  expect(/^[0-9.]+$/.test(cost), "its cost is an amount");
  const created: number = view.summary.created_at;
  expect(new Date(created).getFullYear() >= 2024, "its start is a moment in milliseconds");

  const query = { after: 0, limit: 1000 };
  const events = there(await api.GET("/api/v1/runs/{run}/events", { params: { path: { run }, query } }));
  expect(events.every((event, index) => event.seq === index + 1), "its events are numbered");
  expect(events.some((event) => event.body.kind === "run_finished"), "the last of them ends it");

  const [first] = there(await api.GET("/api/v1/portfolios"));
  if (!first) throw new Error("There is no portfolio.");
  const path = { portfolio: first.id };
  const portfolio = there(await api.GET("/api/v1/portfolios/{portfolio}", { params: { path } }));
  const updated: number = portfolio.updated_at;
  expect(Number.isInteger(updated), "its last change is a moment in milliseconds");
  expect(portfolio.cash === first.cash, "its cash is the same in both");

  const missing = await api.GET("/api/v1/runs/{run}", {
    params: { path: { run: "00000000-0000-7000-8000-000000000000" } },
  });
  expect(missing.error?.status === 404, "a run that does not exist is a problem with its status");
}

void main();

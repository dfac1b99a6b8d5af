import { expect } from "@playwright/test";
import type { Server } from "./server";

/** What a test needs to know of a run; the REST interface says more. */
export type RunSummary = {
  origin: { run: string; through: number } | null;
  run: string;
  seq: number;
  status: string;
  result: string | null;
  error: string | null;
  nodes: number;
  totals: { model_calls: number; tokens_in: number; tokens_out: number; cost: string };
};

export type RunView = {
  summary: RunSummary;
  turns: unknown[];
  chats: unknown[];
  nodes: { plan: { id: string }; status: string; visits: { number: number; inherited: boolean }[] }[];
};

export type Accepted = { run: string; flow: string };

/** As fast as it can be. */
export const unpaced = 4_294_967_295;

type Rehearsal = {
  flow?: string;
  charactersPerSecond?: number;
  /** Before which nodes the run pauses. */
  approval?: { type: "every" } | { type: "nodes"; nodes: string[] };
  /** Whether its agents may ask a person. */
  questions?: boolean;
  limits?: { steps?: number; tokens?: number };
};

/** Starts a pipeline run that the rehearsal answers, without waits unless a pace is given. */
export function startPipeline(server: Server, ticker: string, date: string, rehearsal: Rehearsal = {}): Promise<Accepted> {
  return start(server, { type: "pipeline", ticker, date }, rehearsal);
}

/** Starts a portfolio run that the rehearsal answers, without waits unless a pace is given. */
export function startPortfolioRun(server: Server, date: string, rehearsal: Rehearsal = {}, portfolio = "main_portfolio"): Promise<Accepted> {
  return start(server, { type: "portfolio", portfolio, date }, rehearsal);
}

/** Opens a portfolio of $100,000 that no other test trades. It trades at the close of each decision. */
export async function openPortfolio(server: Server, id: string): Promise<string> {
  const response = await server.fetch(`/api/v1/portfolios`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, name: id, cash: "100000", settings: { fill: "decision_close" } }),
  });
  expect(response.status).toBe(201);
  return id;
}

async function start(server: Server, workflow: object, { charactersPerSecond = unpaced, ...more }: Rehearsal): Promise<Accepted> {
  const model = { type: "rehearsal", characters_per_second: charactersPerSecond };
  const response = await server.fetch(`/api/v1/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ workflow, model, ...more }),
  });
  expect(response.status, "the run is accepted").toBe(201);
  return (await response.json()) as Accepted;
}

/** The run's present state by REST. */
export async function runView(server: Server, run: string): Promise<RunView> {
  const response = await server.fetch(`/api/v1/runs/${run}`);
  expect(response.status).toBe(200);
  return (await response.json()) as RunView;
}

/** Waits until the run stands there. */
export async function reaches(server: Server, run: string, status: string): Promise<RunView> {
  const reached = async () => (await runView(server, run)).summary.status;
  await expect.poll(reached, { timeout: 30_000, intervals: [50, 100, 250] }).toBe(status);
  return runView(server, run);
}

/** Waits until the run has succeeded. */
export async function succeeded(server: Server, run: string): Promise<RunView> {
  const over = async () => ["succeeded", "failed", "cancelled"].includes((await runView(server, run)).summary.status);
  await expect.poll(over, { timeout: 45_000, intervals: [50, 100, 250] }).toBe(true);
  const view = await runView(server, run);
  expect(view.summary.status, view.summary.error ?? "").toBe("succeeded");
  return view;
}

/** A pipeline run that is over. */
export async function finishedPipeline(server: Server, ticker: string, date: string, flow?: string): Promise<Accepted> {
  const accepted = await startPipeline(server, ticker, date, { flow });
  await succeeded(server, accepted.run);
  return accepted;
}

/** Stops a run, for whatever a test has left under way. */
export async function stop(server: Server, run: string): Promise<void> {
  const body = JSON.stringify({ reason: "the test is over" });
  await server.fetch(`/api/v1/runs/${run}/stop`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
}

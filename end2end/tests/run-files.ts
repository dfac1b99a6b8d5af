import { expect } from "@playwright/test";
import type { Server } from "./server";

const id = "01a1fef4-8553-70fd-9b9a-b579df493a5c";

/** A file of a run whose one agent thought for a moment and then gave this answer at the second attempt. */
export function runFile(answer: string): string {
  const call = "market_analyst:1:1";
  const workflow = { type: "pipeline", ticker: "LLY", date: "2022-06-30", analysts: ["market"] };
  const totals = { model_calls: 0, tool_calls: 0, tokens_in: 0, tokens_out: 0, cost: "0", calls_of_unknown_cost: 0 };
  const bodies: [kind: string, data: object][] = [
    ["run_started", { request: { workflow, flow: "file" } }],
    ["node_added", { id: "market_analyst", label: "Market analyst", role: "market", kind: "agent", phase: "Analysts", planned_visits: 1 }],
    ["node_started", { visit: 1, phase: "Analysts" }],
    ["call_started", { call, model: "m", tier: "quick", prompt: answer }],
    ["call_finished", {
      call, model: "m", answer, thoughts: "Let me see.", cost: "0.12", latency_ms: 7, retries: 1,
      usage: { tokens_in: 1000, tokens_out: 20 },
      attempts: [{ model: "m", error: "The provider broke off.", latency_ms: 3 }],
    }],
    ["logged", { level: "info", message: answer }],
    ["node_finished", { visit: 1, status: "succeeded", duration_ms: 9, complete: true, patch: { market_report: JSON.stringify(answer) } }],
    ["run_finished", { status: "failed", error: "It was made by a test.", totals }],
  ];
  const events = bodies.map(([kind, data], index) => ({
    run: id, seq: index + 1, at: 1795278800213, node: kind.startsWith("run_") ? undefined : "market_analyst", body: { kind, data },
  }));
  return [{ format: "pitwall-run", version: 1 }, ...events].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Takes a file in, and returns the run. */
export async function importRun(server: Server, file: string): Promise<string> {
  const response = await server.fetch("/api/v1/runs/import", {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: file,
  });
  expect(response.status, "the file is taken in").toBe(201);
  return ((await response.json()) as { run: string }).run;
}

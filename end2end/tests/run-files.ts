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

/** A file of a run with groups in groups: sections of parts of questions, each question with an answer. */
export function nestedRunFile(sections: number, parts: number, questions: number): string {
  const lines: string[] = [JSON.stringify({ format: "pitwall-run", version: 1 })];
  const add = (kind: string, data: object, node?: string) =>
    lines.push(JSON.stringify({ run: id, seq: lines.length, at: 1795278800213 + lines.length, node, body: { kind, data } }));
  const plan = (node: string, label: string, phase: string) =>
    add("node_added", { id: node, label, role: "analyst", kind: "agent", phase, planned_visits: 1 }, node);
  const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  add("run_started", { request: { workflow: { type: "report" }, flow: "large" } });
  const leaves: [node: string, label: string][] = [];
  for (const section of range(sections)) {
    plan(`report/${section}`, `Section ${section}`, "Sections");
    for (const part of range(parts)) {
      plan(`report/${section}/${part}`, `Part ${section}.${part}`, `Step ${part}`);
      for (const question of range(questions)) {
        const leaf = `report/${section}/${part}/${question}`;
        plan(leaf, `Question ${section}.${part}.${question}`, "Questions");
        leaves.push([leaf, `Question ${section}.${part}.${question}`]);
      }
    }
  }
  for (const [node, label] of leaves) {
    const call = `${node}:1:1`;
    add("node_started", { visit: 1, phase: "Work" }, node);
    add("call_started", { call, model: "m", tier: "quick", prompt: `Answer ${label}.` }, node);
    add("call_finished", {
      call, model: "m", answer: `This answers ${label}.`, thoughts: "", cost: "0.01", latency_ms: 5, retries: 0,
      usage: { tokens_in: 10, tokens_out: 5 }, attempts: [],
    }, node);
    add("node_finished", { visit: 1, status: "succeeded", duration_ms: 5, complete: true, patch: {} }, node);
  }
  const totals = { model_calls: 0, tool_calls: 0, tokens_in: 0, tokens_out: 0, cost: "0", calls_of_unknown_cost: 0 };
  add("run_finished", { status: "succeeded", totals });
  return `${lines.join("\n")}\n`;
}

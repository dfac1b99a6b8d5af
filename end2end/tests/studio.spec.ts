import { spawnSync } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Page, test as base, expect } from "@playwright/test";
import { Server } from "./server";
import { StudioPages, python } from "./studio";

const test = base.extend<object, { server: Server; studio: StudioPages }>({
  server: [
    async ({}, use) => {
      const server = await Server.launch();
      await use(server);
      await server.remove();
    },
    { scope: "worker" },
  ],
  studio: [
    async ({ server }, use) => {
      const studio = await StudioPages.launch(server);
      await use(studio);
      await studio.close();
    },
    { scope: "worker" },
  ],
});

const agent = (name: string, answers: (string | object)[]) => ({
  provider: "autogen_agentchat.agents.AssistantAgent",
  component_type: "agent",
  version: 1,
  component_version: 1,
  config: {
    name,
    description: name,
    system_message: "Work.",
    model_client: {
      provider: "autogen_ext.models.replay.ReplayChatCompletionClient",
      component_type: "model",
      version: 1,
      component_version: 1,
      config: { chat_completions: answers },
    },
  },
});
const person = {
  provider: "autogen_agentchat.agents.UserProxyAgent",
  component_type: "agent",
  version: 1,
  component_version: 1,
  config: { name: "person", description: "A person." },
};
const team = (participants: object[]) => ({
  provider: "autogen_agentchat.teams.RoundRobinGroupChat",
  component_type: "team",
  version: 1,
  component_version: 1,
  label: "Replayed writers",
  config: {
    participants,
    termination_condition: {
      provider: "autogen_agentchat.conditions.TextMentionTermination",
      component_type: "termination",
      version: 1,
      component_version: 1,
      config: { text: "DONE" },
    },
  },
});

test("a client in Python starts a run, answers and reads all of it", async ({ server }) => {
  const folder = await mkdtemp(join(tmpdir(), "studio-client-"));
  const file = join(folder, "team.json");
  await writeFile(file, JSON.stringify(team([agent("writer", ["a draft"]), person])));
  const client = join(__dirname, "../studio/client.py");
  const address = server.url.replace("http://", "");
  const { stdout, stderr, status } = spawnSync(python, [client, address, server.token, file, "Write."], {
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const frames = stdout.trim().split("\n").map((line) => JSON.parse(line));
  const kept = frames.pop();
  const said = frames.filter((frame) => frame.type === "message").map((frame) => frame.data);
  const texts = said.filter((one) => one.type === "TextMessage").map((one) => `${one.source}: ${one.content}`);
  expect(texts).toEqual(["user: Write.", "writer: a draft", "person: DONE"]);
  expect(kept.data).toEqual(said);
  const end = frames.at(-1);
  expect([end.type, end.status]).toEqual(["result", "complete"]);
  expect(end.data.task_result.stop_reason).toBe("Text 'DONE' mentioned");
});

/** Opens the playground on a session with this team. */
async function playground(page: Page, server: Server, studio: StudioPages, name: string, component: object) {
  const body = (value: object) => ({ method: "POST", body: JSON.stringify(value), headers: { "content-type": "application/json" } });
  const saved = await (await server.fetch("/api/teams/", body({ component, user_id: "guestuser@gmail.com" }))).json();
  const session = { name, team_id: saved.data.id, user_id: "guestuser@gmail.com" };
  await server.fetch("/api/sessions/", body(session));
  await page.goto(studio.url);
  await page.getByText(name).first().click();
  const task = page.getByPlaceholder("Type your message here");
  await expect(task).toBeVisible();
  await task.fill("Write.");
  await task.press("Enter");
}

test("Studio's own pages start a run and show its messages", async ({ page, server, studio }) => {
  const writers = team([agent("writer", ["a first draft", { content: "a second draft", thought: "shorter is better" }]), agent("critic", ["make it shorter", "It is DONE"])]);
  await playground(page, server, studio, "Two writers", writers);
  await expect(page.getByText("Task completed").first()).toBeVisible();
  for (const words of ["a first draft", "make it shorter", "shorter is better", "a second draft", "It is DONE"]) {
    await expect(page.getByText(words).first()).toBeAttached();
  }
  await expect(page.getByText("Text 'DONE' mentioned").first()).toBeVisible();
  // What they keep is what they showed.
  await page.reload();
  await page.getByText("Two writers").first().click();
  await expect(page.getByText("It is DONE").first()).toBeAttached();
  expect(studio.asked.filter((asked) => !/^(200|101) /.test(asked))).toEqual([]);
});

test("Studio's own pages stop a run that waits for a person", async ({ page, server, studio }) => {
  await playground(page, server, studio, "With a person", team([agent("writer", ["a first draft", "another"]), person]));
  await expect(page.getByText("Waiting for your input").first()).toBeVisible();
  await page.getByRole("button", { name: "Cancel Run" }).click();
  await expect(page.getByText("Cancelled by user").first()).toBeVisible();
  const { runs } = await (await server.fetch("/api/v1/runs")).json();
  expect(runs[0].status).toBe("cancelled");
});

test("Studio's own pages show teams, the gallery and settings", async ({ page, studio }) => {
  const errors: string[] = [];
  // Their files are rendered for another state than they begin in, which React says whatever the server is.
  const own = /React error #(418|423|425)/;
  page.on("pageerror", (error) => void (own.test(error.message) || errors.push(error.message)));
  for (const [path, words] of [
    ["/build/", "Component Library"],
    ["/gallery/", "Default gallery"],
    ["/settings/", "Show LLM Events"],
  ]) {
    await page.goto(`${studio.url}${path}`);
    await expect(page.getByText(words).first()).toBeVisible();
  }
  expect(errors).toEqual([]);
  expect(studio.asked.filter((asked) => !/^(200|101) /.test(asked))).toEqual([]);
});

import { type Page, expect, test } from "./fixtures";
import { succeeded, unpaced } from "./runs";
import type { Server } from "./server";

// A team is edited beside its drawing; what is not saved is never lost, and its runs stand below.

const headers = { "content-type": "application/json" };

type Team = { conduct: object; participants: { name: string }[]; max_turns?: number };

/** A team of these assistants who speak in turn, as a document. */
async function made(server: Server, title: string, names: string[]): Promise<string> {
  const participants = names.map((name) => ({ name, role: { kind: "assistant", system_message: "Work." } }));
  const team = { name: title, conduct: { kind: "round_robin" }, max_turns: 2, participants };
  const body = JSON.stringify({ kind: "team", title, content: { version: 1, team } });
  const response = await server.fetch("/api/v1/documents", { method: "POST", headers, body });
  return ((await response.json()) as { summary: { id: string } }).summary.id;
}

async function saved(server: Server, id: string): Promise<{ version: number; content: { version: number; team: Team } }> {
  return (await (await server.fetch(`/api/v1/documents/${id}`)).json()) as never;
}

async function save(server: Server, id: string, base: number, content: object): Promise<void> {
  const body = JSON.stringify({ base, content });
  const response = await server.fetch(`/api/v1/documents/${id}`, { method: "PUT", headers, body });
  expect(response.status).toBe(200);
}

const form = (page: Page) => page.getByRole("form", { name: "The team" });
const state = (page: Page) => form(page).getByRole("status").first();
const drawing = (page: Page) => page.getByRole("group", { name: "Who hands to whom" });

test("a graph is made in the form, drawn beside it, and gone back over by keys", async ({ page, server }) => {
  const id = await made(server, "Graph of three", ["writer", "critic", "editor"]);
  await page.goto(`/teams/${id}`);
  await expect(drawing(page).getByRole("button")).toHaveCount(3);

  await form(page).getByLabel("Who speaks next").selectOption("graph_flow");
  const afterWriter = form(page).getByRole("group", { name: "After writer" });
  await expect(afterWriter.getByLabel("Follows writer", { exact: true })).toHaveValue("critic");
  await afterWriter.getByRole("button", { name: "Add a follower of writer" }).click();
  await expect(afterWriter.getByLabel("Follows writer", { exact: true })).toHaveCount(2);
  await afterWriter.getByLabel("Text in the message after which editor follows writer").fill("DONE");
  // One way with a condition and one without cannot both be right: it is said where it is.
  await expect(afterWriter.getByText(/Some edges of “writer” have a condition and some have none/)).toBeVisible();
  await page.getByText("The same in words").click();
  await expect(page.getByRole("listitem").filter({ hasText: "writer → editor, where the message has “DONE”" })).toBeVisible();

  // What was typed in the field is one step.
  await afterWriter.getByLabel("Text in the message after which editor follows writer").press("Control+z");
  await expect(afterWriter.getByLabel("Text in the message after which editor follows writer")).toHaveValue("");
  await page.keyboard.press("Control+z");
  await expect(afterWriter.getByLabel("Follows writer", { exact: true })).toHaveCount(1);
  // The field in which the keys were pressed is gone with what was undone.
  await page.getByRole("button", { name: "Redo" }).click();
  await expect(afterWriter.getByLabel("Follows writer", { exact: true })).toHaveCount(2);
  await afterWriter.getByRole("button", { name: "Remove the way from writer to editor" }).click();
  await expect(afterWriter.getByLabel("Follows writer", { exact: true })).toHaveCount(1);

  await form(page).locator("#part-team-participants-1").getByLabel("Name").fill("checker");
  await expect(afterWriter.getByLabel("Follows writer", { exact: true })).toHaveValue("checker");
  await page.keyboard.press("Control+s");
  await expect(state(page)).toHaveText("Version 2");
  const { team } = (await saved(server, id)).content;
  expect(JSON.stringify(team.conduct)).toContain('"target":"checker"');
});

test("what is changed and not saved outlives a reload, and stands in the JSON of the same tab", async ({ page, server }) => {
  const id = await made(server, "Kept", ["writer"]);
  await page.goto(`/teams/${id}`);
  await form(page).getByLabel("What it is for").fill("Not saved yet.");
  await expect(state(page)).toHaveText("Changed since version 1, kept in this tab");
  await page.reload();
  await expect(form(page).getByLabel("What it is for")).toHaveValue("Not saved yet.");
  await page.goto(`/documents/${id}`);
  await expect(page.getByLabel("Content, as JSON")).toHaveValue(/Not saved yet\./);
  await page.goto(`/teams/${id}`);
  await form(page).getByRole("button", { name: "Save a version" }).click();
  await expect(state(page)).toHaveText("Version 2");
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain("Not saved yet.");
});

test("a version that was saved meanwhile is said, both are kept, and parts of it can be taken", async ({ page, server, problems }) => {
  problems.tolerate(/409/);
  const id = await made(server, "Conflict", ["writer", "critic"]);
  await page.goto(`/teams/${id}`);
  await form(page).getByLabel("What it is for").fill("Mine.");
  const theirs = (await saved(server, id)).content;
  await save(server, id, 1, { ...theirs, team: { ...theirs.team, max_turns: 9, description: "Theirs." } });

  await form(page).getByRole("button", { name: "Save a version" }).click();
  const conflict = page.getByRole("region", { name: "Version 2 was saved meanwhile" });
  await expect(conflict.getByRole("listitem")).toHaveCount(2);
  await expect(form(page).getByLabel("What it is for")).toHaveValue("Mine.");
  await conflict.getByRole("button", { name: "Take theirs: Turns at most" }).click();
  await expect(conflict.getByRole("listitem")).toHaveCount(1);
  await conflict.getByRole("button", { name: "Save mine after version 2" }).click();
  await expect(state(page)).toHaveText("Version 3");
  await expect(conflict).toHaveCount(0);
  const { team } = (await saved(server, id)).content;
  expect(team).toMatchObject({ description: "Mine.", max_turns: 9 });
});

test("a team's runs are listed with their versions, compared, and started again @mobile", async ({ page, server }) => {
  test.slow();
  const id = await made(server, "Runs", ["writer", "critic"]);
  const start = async (task: string) => {
    const request = { workflow: { type: "team", team: id, task }, model: { type: "rehearsal", characters_per_second: unpaced } };
    const response = await server.fetch("/api/v1/runs", { method: "POST", headers, body: JSON.stringify(request) });
    const { run } = (await response.json()) as { run: string };
    await succeeded(server, run);
  };
  await start("The first task.");
  const first = (await saved(server, id)).content;
  await save(server, id, 1, { ...first, team: { ...first.team, max_turns: 3 } });
  await start("The second task.");

  await page.goto(`/teams/${id}`);
  const runs = page.getByRole("region", { name: "Runs" });
  await expect(runs.getByRole("link", { name: /task\.$/ })).toHaveText(["The second task.", "The first task."]);
  for (const task of ["The first task.", "The second task."]) {
    await runs.getByRole("checkbox", { name: `Choose ${task} to compare` }).check();
  }
  await runs.getByRole("link", { name: "Compare the two" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Compare two runs");

  await page.goto(`/teams/${id}`);
  await runs.getByRole("button", { name: "Run again: The first task." }).click();
  const dialog = page.getByRole("dialog", { name: "Run it again?" });
  await dialog.getByRole("button", { name: "With version 1" }).click();
  await page.waitForURL(/\/runs\//);
  const run = new URL(page.url()).pathname.split("/")[2];
  const view = await succeeded(server, run);
  expect(JSON.stringify(view)).toContain(`${id}@1`);
  await expect(page.getByText("What everybody has taken").first()).toBeAttached();
});

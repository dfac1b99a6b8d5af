import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "./fixtures";
import { fact, inspector, transcript } from "./run-page";
import { importRun, runFile } from "./run-files";

const million = 1_000_000;
const nestedLists = Array.from({ length: 60 }, (_, level) => `${"  ".repeat(level)}- level ${level}\n`).join("");

/** What an answer can be made of, and what is to be seen of it. */
const answers: Record<string, string> = {
  "1,800 quotes in one another": ">".repeat(1_800) + " the end",
  "a million quotes": ">".repeat(million),
  "lists in lists": nestedLists,
  "lists in quotes in lists": "> - 1. ".repeat(500) + "the end",
  "JSON without end": `{"a": ${"[".repeat(90)}1${"]".repeat(90)}}`,
  "JSON of a million brackets": "[".repeat(million),
  "emphasis without end": "*a ".repeat(30_000) + " a*".repeat(30_000),
  "many small elements": "*a* `b` ".repeat(million / 8),
  "control characters": "a\0b\u0001\u0008\f\u007f\u0085 \u200b\u202e\u05d0\u05d1 # \0\n\n`\0`\n\n| \0 |\n|--|\n| \0 |",
  "NUL alone": "\0",
  "a line break alone": "\n",
};
for (const character of ["*", "[", "(", "|", "`", "\\", "<", " ", "#", "-", "_", "~", "&", "a", "é"]) {
  answers[`a million of ${character}`] = character.repeat(million);
}

for (const [name, answer] of Object.entries(answers)) {
  test(`the page, the transcript and the export open for an answer of ${name}`, async ({ context, page, problems, server }, testInfo) => {
    const run = await importRun(server, runFile(answer));
    await page.goto(`/runs/${run}?view=transcript&node=market_analyst`);
    await expect(fact(page, "Connection")).toHaveText("Complete");
    for (const place of [transcript(page), inspector(page)]) {
      await expect(place).toContainText("2 attempts, 1 failed");
      const whole = place.getByRole("button", { name: /^Load all/ }).first();
      if (await whole.isVisible()) {
        // A text that was loaded in one place may come to the other in this very moment.
        await whole.click({ timeout: 5_000 }).catch(() => undefined);
        await expect(whole).toBeHidden({ timeout: 30_000 });
      }
    }
    // The page still answers.
    await inspector(page).getByRole("tab", { name: "Prompt" }).click();
    await expect(inspector(page).getByRole("tab", { name: "Prompt" })).toHaveAttribute("aria-selected", "true");

    const exported = await server.fetch(`/api/v1/runs/${run}/export.html`);
    expect(exported.status).toBe(200);
    const file = testInfo.outputPath("run.html");
    await writeFile(file, await exported.text());
    const opened = await context.newPage();
    problems.watch(opened);
    await opened.goto(`file://${file}`);
    await expect(opened.getByRole("heading", { name: "Transcript" })).toBeVisible({ timeout: 30_000 });
  });
}

test("thoughts are folded beside the answer and failed attempts are told with what they used", async ({ page, server }) => {
  const run = await importRun(server, runFile("The shares **rise**."));
  await page.goto(`/runs/${run}?view=transcript&node=market_analyst`);
  for (const place of [transcript(page), inspector(page)]) {
    await expect(place.getByText("Let me see.")).toHaveCount(0);
    await place.getByText("Thoughts, 11 characters").click();
    await expect(place.getByText("Let me see.")).toBeVisible();
    await place.getByText("2 attempts, 1 failed").click();
    await expect(place.getByText("The provider broke off.")).toBeVisible();
    await expect(place.getByText("in unknown · out unknown · cost unknown")).toBeVisible();
  }
  await expect(fact(page, "Cost")).toHaveText("at least $0.1200 1 call of unknown cost");
  await expect(inspector(page).getByText("at least 1,000")).toBeVisible();
});

test("a file that went through Windows is imported, and the run is marked as such", async ({ page }, testInfo) => {
  const path = testInfo.outputPath("run.jsonl");
  await writeFile(path, "\ufeff" + runFile("The shares rise.").replaceAll("\n", "\r\n"));
  await page.goto("/runs");
  await page.getByLabel("File of a run").setInputFiles(path);
  await page.waitForURL(/\/runs\/.+/);
  await expect(page.getByText("this run was taken in from a file")).toBeVisible();
  await expect(page.locator("summary").filter({ hasText: "Fork" })).toHaveCount(0);
  await page.goto("/runs");
  await expect(page.getByRole("row").filter({ hasText: "imported" }).first()).toBeVisible();
});

test("a run is deleted from its page and from the list, and every open page drops it", async ({ newTab, page, problems, server }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  const first = await importRun(server, runFile("One."));
  const second = await importRun(server, runFile("Two."));
  const list = await newTab();
  await list.goto("/runs");
  const link = (run: string) => list.locator(`a[href="/runs/${run}"]`);
  await expect(link(first)).toBeVisible();

  await page.goto(`/runs/${first}`);
  await page.getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete this run?" });
  await expect(dialog).toContainText("What it did beside its log stays");
  await dialog.getByRole("button", { name: "Keep it" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete the run" }).click();
  await page.waitForURL(/\/runs$/);
  await expect(link(first)).toHaveCount(0);
  expect((await page.goto(`/runs/${first}`))?.status()).toBe(404);

  await page.goto(`/runs/${second}`);
  await list.getByRole("row").filter({ has: link(second) }).getByRole("button", { name: /^Delete/ }).click();
  await list.getByRole("dialog").getByRole("button", { name: "Delete the run" }).click();
  await expect(link(second)).toHaveCount(0);
  await expect(page.getByText("The run was deleted.")).toBeVisible();
});

test("a run that cannot be read is listed beside the others, says why on its page, and can be deleted there", async ({ page, server, problems }) => {
  problems.tolerate(/Failed to load resource: the server responded with a status of 404/);
  const other = await importRun(server, runFile("One."));
  const strange = await importRun(server, runFile("Two."));
  await server.kill();
  const change = [
    "import sqlite3, sys",
    "file = sqlite3.connect(sys.argv[1])",
    "file.execute(\"update run set summary = '{}' where id = ?\", [bytes.fromhex(sys.argv[2])])",
    "file.commit()",
  ];
  execFileSync("python3", ["-c", change.join("\n"), join(server.data, "pitwall.db"), strange.replaceAll("-", "")]);
  await server.start();

  for (const list of ["/", "/runs"]) {
    await page.goto(list);
    await expect(page.locator("#main").locator(`a[href="/runs/${other}"]`).first()).toBeVisible();
    await expect(page.getByText(/^The run cannot be read, because/).first()).toBeVisible();
  }
  await page.getByRole("row").filter({ hasText: "cannot be read" }).getByRole("link").first().click();
  await page.waitForURL(`/runs/${strange}`);
  await expect(page.getByRole("alert")).toHaveText(/^The run cannot be read, because/);
  await page.reload();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete the run" }).click();
  await page.waitForURL(/\/runs$/);
  await expect(page.getByText(/cannot be read/)).toHaveCount(0);
  await expect(page.locator(`a[href="/runs/${other}"]`)).toBeVisible();
});

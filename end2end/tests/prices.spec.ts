import { expectAccessible } from "./accessible";
import { expect, test } from "./fixtures";

const HEADER = "ticker,date,close,dividend,currency\n";

/** A table of one stock on so many days in a row. */
function table(days: number): string {
  const first = Date.UTC(2022, 0, 3);
  const rows = Array.from({ length: days }, (_, number) => {
    const day = new Date(first + number * 86_400_000).toISOString().slice(0, 10);
    return `ACME,${day},${100 + number},,USD\n`;
  });
  return HEADER + rows.join("");
}

function file(name: string, text: string): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: "text/csv", buffer: Buffer.from(text) };
}

test("a table of own prices is looked at, kept, chosen for an analysis and deleted @mobile", async ({ page }) => {
  await page.goto("/prices");
  await expect(page.getByText("There is no table yet")).toBeVisible();
  await page.getByLabel("File of prices").setInputFiles(file("mine.csv", table(260)));
  const row = page.getByRole("table", { name: "What the table holds" }).getByRole("row").nth(1);
  await expect(row).toContainText("ACME");
  await expect(row).toContainText("260");
  await expect(row).toContainText("2022-01-03");
  await expect(page.getByLabel("Title")).toHaveValue("mine");
  await page.getByLabel("Prices are adjusted for").selectOption({ label: "Splits" });
  await expectAccessible(page, "a table of own prices");
  await page.getByRole("button", { name: "Keep the table" }).click();

  const tables = page.getByRole("table", { name: /^Tables, / });
  await expect(tables.getByRole("link", { name: "mine" })).toBeVisible();
  await tables.getByRole("link", { name: "Analyse" }).click();
  await expect(page).toHaveURL(/\/start\?type=pipeline&prices=/);
  await expect(page.getByLabel("Own prices")).toBeVisible();

  await page.goto("/prices");
  await page.getByRole("button", { name: "Delete mine" }).click();
  await page.getByRole("button", { name: "Delete mine for good" }).click();
  await expect(page.getByText("There is no table yet")).toBeVisible();
});

test("lines of a table that cannot be read are named with what to write, and nothing is kept", async ({ page }) => {
  await page.goto("/prices");
  await page.getByLabel("File of prices").setInputFiles(file("bad.csv", `${HEADER}ACME,03.01.2022,10,,\n`));
  await expect(page.getByRole("status").filter({ hasText: "Line 2" })).toContainText("Write one such as 2022-06-30");
  await expect(page.getByRole("button", { name: "Keep the table" })).toBeHidden();
  await page.getByLabel("File of prices").setInputFiles(file("large.csv", "x".repeat(600 * 1024)));
  await expect(page.getByRole("alert")).toContainText("larger than 500 KiB");
});

import { expect, test } from "./fixtures";

// The page that starts runs, where the model that is set does not answer.

test.use({
  variables: {
    PITWALL_MODEL_BASE_URL: "http://127.0.0.1:9/v1/",
    PITWALL_MODEL_KEY: "sk-end2end-none",
    PITWALL_MODEL: "away-1",
  },
});

test("of a model that does not answer its row says so, nothing is started with it, and another one is a click away", async ({ page }) => {
  await page.goto("/start");
  await expect(page.getByRole("radio", { name: "away-1" })).toBeChecked();
  await page.getByRole("button", { name: "Test the model away-1" }).click();
  await expect(page.getByText(/^away-1 did not answer when it was tested:/)).toBeVisible({ timeout: 40_000 });
  await expect(page.locator(".model-row.failed")).toContainText("No answer");
  await expect(page.getByRole("button", { name: "Start the run" })).toBeDisabled();
  await page.keyboard.press("Control+Enter");
  await expect(page).toHaveURL("/start");
  await page.getByRole("button", { name: "Use Rehearsal" }).click();
  await expect(page.getByRole("radio", { name: "Rehearsal" })).toBeChecked();
  await expect(page.getByRole("button", { name: "Start the run" })).toBeEnabled();
});

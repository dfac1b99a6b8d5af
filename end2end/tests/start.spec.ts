import { type Page, expect, test } from "./fixtures";
import { pill } from "./run-page";

// The page that starts runs: what there is, what it will take, and what keeps it from being started.

const found = (page: Page) => page.getByRole("searchbox", { name: "Find a kind of run" });
const startButton = (page: Page) => page.getByRole("button", { name: "Start the run" });
const estimate = (page: Page) => page.getByRole("region", { name: "Estimate" });

test.describe("what can be started", () => {
  // A server of its own: of the estimate, no other test may have started anything.
  test.use({ variables: { PITWALL_REHEARSAL_SPEED: "90000" } });

  test("is found by words and chosen with arrow keys, and Ctrl with Enter starts it", async ({ page }) => {
    await page.goto("/start");
    await expect(found(page)).toBeFocused();
    await page.keyboard.type("holdings");
    await expect(page.getByRole("radio", { name: "Pipeline" })).toBeHidden();
    await page.keyboard.press("ArrowDown");
    await expect(page.getByRole("radio", { name: "Portfolio" })).toBeChecked();
    await expect(page.getByRole("heading", { level: 2, name: "Portfolio" })).toBeVisible();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("opera");
    await expect(page.getByText("No kind is called that, or does that.")).toBeVisible();
    // Enter alone chooses, and starts nothing.
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL("/start");
    await page.keyboard.press("Control+Enter");
    await page.waitForURL(/\/runs\//);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Portfolio · /);
    await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });
  });

  test("is tried by its sample, and what that took is the estimate of the next run like it", async ({ page }) => {
    await page.goto("/start?type=pipeline");
    await expect(estimate(page)).toContainText("No run like this has come to its end yet");
    await page.getByRole("button", { name: "Run the sample" }).click();
    await page.waitForURL(/\/runs\//);
    await expect(pill(page)).toHaveText("Done", { timeout: 30_000 });

    await page.goto("/start?type=pipeline");
    await expect(estimate(page)).toContainText("$0.00");
    await expect(estimate(page)).toContainText("What one earlier run like this took.");
    await expect(estimate(page).locator("circle")).toHaveCount(1);
    // At another pace it is another run.
    await page.getByRole("radio", { name: "Slow" }).check();
    await expect(estimate(page)).toContainText("No run like this has come to its end yet");
  });

  test("on a phone the estimate and the start stay in sight @mobile", async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto("/start");
    await expect(startButton(page)).toBeInViewport();
    await expect(estimate(page)).toBeInViewport();
    await page.getByText(/^More/).scrollIntoViewIfNeeded();
    await expect(startButton(page)).toBeInViewport();
  });
});

test.describe("with a model that does not answer", () => {
  test.use({
    variables: {
      PITWALL_MODEL_BASE_URL: "http://127.0.0.1:9/v1/",
      PITWALL_MODEL_KEY: "sk-end2end-none",
      PITWALL_MODEL: "away-1",
    },
  });

  test("its row says so, nothing is started with it, and another one is a click away", async ({ page }) => {
    await page.goto("/start");
    await expect(page.getByRole("radio", { name: "away-1" })).toBeChecked();
    await page.getByRole("button", { name: "Test the model away-1" }).click();
    await expect(page.getByText(/^away-1 did not answer when it was tested:/)).toBeVisible({ timeout: 40_000 });
    await expect(page.locator(".model-row.failed")).toContainText("No answer");
    await expect(startButton(page)).toBeDisabled();
    await page.keyboard.press("Control+Enter");
    await expect(page).toHaveURL("/start");
    await page.getByRole("button", { name: "Use Rehearsal" }).click();
    await expect(page.getByRole("radio", { name: "Rehearsal" })).toBeChecked();
    await expect(startButton(page)).toBeEnabled();
  });
});

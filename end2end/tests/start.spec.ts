import { type Page, expect, test } from "./fixtures";
import { pill } from "./run-page";

// The page that starts runs: what there is, what it will take, and what keeps it from being started.

const found = (page: Page) => page.getByRole("searchbox", { name: "Find a kind of run" });
const startButton = (page: Page) => page.getByRole("button", { name: "Start the run" });
const estimate = (page: Page) => page.getByRole("region", { name: "Estimate" });

// A server of its own: of the estimate, no other test may have started anything.
test.use({ variables: { PITWALL_REHEARSAL_SPEED: "90000" } });

test("what can be started is found by words and chosen with arrow keys, and Ctrl with Enter starts it", async ({ page }) => {
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

test("what can be started is tried by its sample, and what that took is the estimate of the next run like it", async ({ page }) => {
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

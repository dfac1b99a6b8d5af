import AxeBuilder from "@axe-core/playwright";
import { type Page, expect } from "@playwright/test";

/** Expects that axe finds nothing on what the page shows now. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => `${node.target.join(" ")} ${node.failureSummary?.replace(/\s+/g, " ")}`).join("\n  ")}`);
  expect(found.join("\n"), `axe on ${what}`).toBe("");
}

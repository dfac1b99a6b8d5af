import AxeBuilder from "@axe-core/playwright";
import { type Page, expect } from "@playwright/test";

/** Expects that axe finds nothing on what the page shows now, in the dark and in the light. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await page.emulateMedia({ colorScheme: "dark" });
  const rules = new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]);
  expect(await violations(rules), `axe on ${what}, dark`).toBe("");
  await page.emulateMedia({ colorScheme: "light" });
  // The only rule that looks at colours.
  const contrast = new AxeBuilder({ page }).withRules(["color-contrast"]);
  expect(await violations(contrast), `axe on ${what}, light`).toBe("");
}

async function violations(axe: AxeBuilder): Promise<string> {
  const { violations } = await axe.analyze();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => `${node.target.join(" ")} ${node.failureSummary?.replace(/\s+/g, " ")}`).join("\n  ")}`);
  return found.join("\n");
}

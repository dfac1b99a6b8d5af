import { expect } from "@playwright/test";
import { By, type WebElement } from "selenium-webdriver";
import type { Browser } from "./browser";
import type { Part } from "./parts";

/** How long something may take that needs no model. */
const patienceMs = 10_000;

/** Patience with a run that works. */
export const untilTheEnd = { timeout: 40_000 };

/** The one tab of a browser, used as a person does: what is not to be seen cannot be used. */
export class Tab {
  constructor(
    private readonly browser: Browser,
    private readonly url: string,
  ) {}

  /** Opens an address of the server, and waits until the page is alive: clicks before that are lost. */
  async open(path: string): Promise<void> {
    await this.browser.session.get(new URL(path, this.url).href);
    await this.browser.watchPage();
    await this.sees("//html[@data-hydrated]");
  }

  async path(): Promise<string> {
    return new URL(await this.browser.session.getCurrentUrl()).pathname;
  }

  async click(part: Part): Promise<void> {
    await this.use(part, (element) => element.click());
  }

  /** Replaces what stands in a field. */
  async fill(part: Part, text: string): Promise<void> {
    await this.use(part, async (element) => {
      await element.clear();
      await element.sendKeys(text);
    });
  }

  /** Fills in a field for a day, such as 2022-06-30. */
  async fillDay(part: Part, day: string): Promise<void> {
    await this.fill(part, this.browser.keysOfDay(day));
  }

  /** Presses keys in a field, or where the focus is. */
  async press(keys: string, part: Part = "//body"): Promise<void> {
    await this.use(part, (element) => element.sendKeys(keys));
  }

  /** Waits until something is to be seen. */
  async sees(part: Part, patience = { timeout: patienceMs }): Promise<void> {
    await this.use(part, async () => undefined, patience);
  }

  /** Waits until nothing of this is to be seen. */
  async misses(part: Part, patience = { timeout: patienceMs }): Promise<void> {
    await expect(async () => expect(await this.visible(part), `${part} is to be seen`).toHaveLength(0)).toPass(patience);
  }

  /** Waits until the part reads like this. */
  async reads(part: Part, text: string | RegExp, patience = { timeout: patienceMs }): Promise<void> {
    await expect(async () => {
      const read = await this.text(part);
      if (typeof text === "string") expect(read).toBe(text);
      else expect(read).toMatch(text);
    }).toPass(patience);
  }

  /** What a person reads there. The drivers' own ways of reading differ in white space. */
  async text(part: Part): Promise<string> {
    const text = await this.use(part, (element) => this.property(element, "innerText"));
    return text.replace(/\s+/g, " ").trim();
  }

  /** How much is written there, in sight or not. */
  async length(part: Part): Promise<number> {
    return (await this.use(part, (element) => this.property(element, "textContent"))).length;
  }

  /** What a field holds. */
  value(part: Part): Promise<string> {
    return this.use(part, (element) => this.property(element, "value"));
  }

  private property(element: WebElement, name: string): Promise<string> {
    return this.browser.session.executeScript("return arguments[0][arguments[1]]", element, name);
  }

  /** Does something with the one that is to be seen, again if the page replaced it meanwhile. */
  private async use<T>(part: Part, act: (element: WebElement) => Promise<T>, patience = { timeout: patienceMs }): Promise<T> {
    const results: T[] = [];
    await expect(async () => {
      const [element] = await this.visible(part);
      if (!element) throw new Error(`${part} is not to be seen`);
      results.push(await act(element));
    }).toPass({ ...patience, intervals: [50, 100, 200] });
    return results[0];
  }

  private async visible(part: Part): Promise<WebElement[]> {
    const elements = await this.browser.session.findElements(By.xpath(part));
    const shown = await Promise.all(elements.map((element) => element.isDisplayed()));
    return elements.filter((_, index) => shown[index]);
  }
}

import { type Locator, type Page, expect } from "@playwright/test";

/** The parts of the run page, as a person names them. */
export const graph = (page: Page): Locator => page.getByRole("group", { name: /^Graph of the run/ });

export const cards = (page: Page): Locator => graph(page).getByRole("button", { name: /.+/ });

/** The card of a node; its name begins with the node's label. */
export const card = (page: Page, label: string): Locator =>
  graph(page).getByRole("button", { name: new RegExp(`^${label}`) });

export const viewTab = (page: Page, name: string): Locator =>
  page.getByRole("tablist", { name: "Views" }).getByRole("tab", { name });

export const inspector = (page: Page): Locator => page.getByRole("complementary", { name: "Inspector" });

export const transcript = (page: Page): Locator => page.getByRole("log", { name: "Transcript" });

/** The text of a call that the model is still writing. */
export const writing = (page: Page): Locator => transcript(page).locator(".writing:not(.dim)");

/** The turns that are in the document: those in sight and some around them. */
export const turnsInSight = (page: Page): Locator => transcript(page).locator("ol.turns > li");

/** How many turns the transcript has, in the document or not. */
export async function expectTurns(page: Page, count: number): Promise<void> {
  await expect(turnsInSight(page).first()).toHaveAttribute("aria-setsize", String(count));
}

/**
 * The texts of all turns in which no model writes any more, by their place. Only turns around what is in sight are in
 * the document, so that the list has to be scrolled through.
 */
export async function completeTurns(page: Page): Promise<Map<number, string>> {
  const list = transcript(page);
  const before = await list.evaluate((frame) => frame.scrollTop);
  await list.evaluate((frame) => (frame.scrollTop = 0));
  const turns = new Map<number, string | null>();
  await expect(async () => {
    const drawn = await list.evaluate((frame) => {
      const entries = [...frame.querySelectorAll("ol.turns > li")].map((entry) => ({
        place: Number(entry.getAttribute("aria-posinset")),
        count: Number(entry.getAttribute("aria-setsize")),
        text: entry.querySelector(".writing") ? null : (entry.textContent ?? ""),
      }));
      // From the beginning again at its end: what was not drawn in time is seen then.
      const isAtEnd = frame.scrollTop + frame.clientHeight >= frame.scrollHeight - 1;
      frame.scrollTop = isAtEnd ? 0 : frame.scrollTop + frame.clientHeight;
      return entries;
    });
    for (const { place, text } of drawn) turns.set(place, text);
    expect(turns.size).toBe(drawn[0]?.count ?? 0);
  }).toPass({ intervals: [50] });
  await list.evaluate((frame, top) => (frame.scrollTop = top), before);
  const complete = [...turns].flatMap(([place, text]): [number, string][] => (text === null ? [] : [[place, text]]));
  return new Map(complete.sort(([one], [other]) => one - other));
}

/** Some turn of the transcript, in sight or not, says this. */
export async function expectSaid(page: Page, words: string | RegExp): Promise<void> {
  await viewTab(page, "Transcript").click();
  await expect(async () => {
    const said = [...(await completeTurns(page)).values(), ...(await transcript(page).locator(".ending").allTextContents())];
    expect(said.filter((text) => (typeof words === "string" ? text.includes(words) : words.test(text))), `${words} is said`).not.toEqual([]);
  }).toPass({ timeout: 20_000 });
}

/** Everything that was said before is said still, at its place and in the same words. */
export async function expectStillSaid(page: Page, before: Map<number, string>): Promise<void> {
  const now = await completeTurns(page);
  expect(new Map([...before.keys()].map((place) => [place, now.get(place)]))).toEqual(before);
}

/** A figure of the header: `Elapsed`, `Nodes`, `Tokens`, `Cost`, `Connection`. */
export const fact = (page: Page, name: string): Locator =>
  page
    .locator(".run-facts > div")
    .filter({ has: page.locator("dt").filter({ hasText: new RegExp(`^${name}`) }) })
    .getByRole("definition");

/** All figures of the header that do not change once the run is over. */
export async function figures(page: Page): Promise<Record<string, string>> {
  const names = ["Elapsed", "Nodes", "Tokens", "Cost", "Connection"];
  const values = await Promise.all(names.map((name) => fact(page, name).innerText()));
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** What the run asks of people. */
export const asks = (page: Page): Locator => page.getByRole("region", { name: "Needs you" });

/** The acts behind a button of the header. */
export const menu = (page: Page, name: string): Locator => page.locator("details.menu").filter({ hasText: name });

/** How far the run has come in the page's time. */
export const slider = (page: Page): Locator => page.getByRole("slider", { name: "Event" });

/** The state of the run, in the header. */
export const pill = (page: Page): Locator => page.locator(".run-title .pill");

/**
 * The numbers of all events that the page lists. Only rows in sight are in the document, so that
 * the list has to be scrolled through.
 */
export async function eventNumbers(page: Page, expected: number): Promise<number[]> {
  const list = page.getByRole("region", { name: "Events" });
  await list.evaluate((frame) => (frame.scrollTop = 0));
  const seen = new Set<number>();
  await expect(async () => {
    for (const number of await list.locator(".event-seq").allInnerTexts()) seen.add(Number(number));
    // From the beginning again at its end: what was not drawn in time is seen then.
    await list.evaluate((frame) => {
      const isAtEnd = frame.scrollTop + frame.clientHeight >= frame.scrollHeight - 1;
      frame.scrollTop = isAtEnd ? 0 : frame.scrollTop + frame.clientHeight / 2;
    });
    expect(seen.size).toBe(expected);
  }).toPass({ intervals: [30] });
  return [...seen].sort((one, other) => one - other);
}

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const market = resolve(__dirname, "../../crates/market");

function rows(path: string): string[][] {
  const lines = readFileSync(join(market, path), "utf8").trim().split(/\r?\n/);
  return lines.filter((line) => !line.startsWith("#")).map((line) => line.split(","));
}

/** The bundled close of a day, as it stands in the data. */
export function close(ticker: string, date: string): string {
  const [head = [], ...days] = rows("data/prices.csv");
  const price = days.find(([day]) => day === date)?.[head.indexOf(ticker)];
  if (!price) throw new Error(`The data has no close of ${ticker} on ${date}`);
  return price;
}

/** The indicators of a stock and a day, computed by a program of its own beside the data. */
export function independentIndicators(ticker: string, date: string): Map<string, string> {
  const mine = rows("tests/independent/indicators.csv").filter(([of, on]) => of === ticker && on === date);
  return new Map(mine.map(([, , indicator = "", value = ""]) => [indicator, value]));
}

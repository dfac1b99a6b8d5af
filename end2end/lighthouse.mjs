// Prints Lighthouse's figures of every page of a release server with a sample run and a sample portfolio, as a phone
// and as a desktop; ends with 1 if one is below what is wanted.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const wanted = { performance: 90, accessibility: 100, "best-practices": 100 };
const root = resolve(import.meta.dirname, "..");
const installed = createRequire(join(process.env.LIGHTHOUSE, "lighthouse/package.json"));
const load = async (name) => import(pathToFileURL(installed.resolve(name)).href);
const { default: lighthouse, desktopConfig } = await load("lighthouse");
const { default: puppeteer } = await load("puppeteer-core");
const { chromium } = createRequire(join(root, "package.json"))("@playwright/test");

const folder = await mkdtemp(join(tmpdir(), "pitwall-lighthouse-"));
const token = "a-token-that-only-this-measurement-knows";
const program = process.env.PITWALL_PROGRAM ?? join(root, "target/release/pitwall");
const server = spawn(program, ["serve", "--addr", "127.0.0.1:0", "--data", join(folder, "data")], {
  env: { PATH: process.env.PATH, HOME: folder, PITWALL_TOKEN: token },
  stdio: ["ignore", "pipe", "inherit"],
});
const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-headless-shell"].find((path) => path && existsSync(path)) ?? chromium.executablePath();
const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--headless=new"], userDataDir: join(folder, "browser") });
let failed = false;
try {
  const [line] = await once(createInterface(server.stdout), "line");
  const opened = line.split(" ").at(-1);
  const url = new URL(opened).origin;
  const run = await finished(url, { type: "pipeline", ticker: "AAPL", date: "2022-06-30" });
  const other = await finished(url, { type: "portfolio", portfolio: "main_portfolio", date: "2022-06-30" });
  const page = await browser.newPage();
  await page.goto(opened);
  await page.close();
  const pages = {
    overview: "/",
    start: "/start",
    runs: "/runs",
    run: `/runs/${run}`,
    compare: `/compare?left=${run}&right=${other}`,
    portfolio: "/portfolios/main_portfolio",
    portfolios: "/portfolio",
    stock: "/tickers/AAPL",
    decision: `/decisions/${other}`,
    sessions: "/tasks",
    teams: "/teams",
    account: "/account",
    "sign-in": "/sign-in",
  };
  console.log(`${"page".padEnd(12)}${"as".padEnd(9)}performance  accessibility  best practices    paint (s)  blocked (ms)`);
  for (const [name, path] of Object.entries(pages).filter(([name]) => !process.env.ONLY || process.env.ONLY === name)) {
    for (const [kind, config] of [["phone", undefined], ["desktop", desktopConfig]]) {
      await measure(name, kind, config, `${url}${path}`);
    }
  }
} finally {
  await browser.close();
  server.kill();
  await rm(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

async function measure(name, kind, config, address) {
  const port = Number(new URL(browser.wsEndpoint()).port);
  const flags = { port, disableStorageReset: true, logLevel: "error", onlyCategories: Object.keys(wanted) };
  const { lhr } = await lighthouse(address, flags, config);
  const scores = Object.keys(wanted).map((category) => [category, Math.round((lhr.categories[category].score ?? 0) * 100)]);
  const [performance, accessibility, practices] = scores.map(([category, score]) => `${score}${score < wanted[category] ? " !" : "  "}`);
  const paint = (lhr.audits["largest-contentful-paint"].numericValue / 1000).toFixed(1);
  const blocked = Math.round(lhr.audits["total-blocking-time"].numericValue);
  console.log(
    `${name.padEnd(12)}${kind.padEnd(9)}${performance.padStart(11)}  ${accessibility.padStart(13)}  ${practices.padStart(14)}  ${paint.padStart(11)}  ${String(blocked).padStart(12)}`,
  );
  if (scores.every(([category, score]) => score >= wanted[category])) return;
  failed = true;
  for (const category of Object.keys(wanted)) {
    for (const { id, weight } of lhr.categories[category].auditRefs) {
      const { score, title, displayValue = "" } = lhr.audits[id];
      if (weight > 0 && score !== null && score < 0.9) console.log(`    ${id}: ${title} ${displayValue}`);
    }
  }
  if (process.env.REPORTS) await writeFile(join(process.env.REPORTS, `${name}-${kind}.json`), JSON.stringify(lhr));
}

/** A run that the rehearsal has written to its end. */
async function finished(url, workflow) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ workflow, model: { type: "rehearsal", characters_per_second: 4_294_967_295 } });
  const accepted = await (await fetch(`${url}/api/v1/runs`, { method: "POST", headers, body })).json();
  for (;;) {
    const view = await (await fetch(`${url}/api/v1/runs/${accepted.run}`, { headers })).json();
    if (view.summary.status === "succeeded") return accepted.run;
    if (view.summary.finished_at) throw new Error(`The run ${accepted.run} ${view.summary.status}: ${view.summary.error}`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
}

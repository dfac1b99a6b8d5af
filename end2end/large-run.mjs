// Makes runs of 1,000 nodes with 28,000 events, nested and flat, and one of 100,000 events, imports them into a release
// server and prints what the page of each costs; then lets 2,000 events a second arrive at the page of a run at work and
// prints its frames a second. Ends with 1 if a figure is beyond its limit.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "..");
const { chromium } = createRequire(join(root, "package.json"))("@playwright/test");
const limits = { html: 1_000_000, ready: 700, view: 200, elements: 5_000, memory: 100 };
/** Events a second that arrive, for so many seconds at each view, and the frames a second that are wanted meanwhile. */
const arriving = { events: 2_000, seconds: 3, frames: 58 };

/** A run file: `nodes` nodes, in sections and parts or side by side, with so many events altogether. */
function runFile(nodes, events, isNested) {
  const run = "01a1fef4-8553-70fd-9b9a-b579df493a5c";
  const started = 1795278800000;
  const lines = [];
  let seq = 0;
  const add = (kind, data, node) => {
    seq += 1;
    lines.push(JSON.stringify({ run, seq, at: started + seq * 40, node, body: { kind, data } }));
  };
  const ids = [];
  add("run_started", { request: { workflow: { type: "report", topic: "Grid storage" }, flow: "large" } });
  const node = (id, label, phase) => {
    ids.push(id);
    add("node_added", { id, label, role: "analyst", kind: "agent", phase, planned_visits: 1 }, id);
  };
  const leaves = [];
  if (isNested) {
    for (let section = 1; ids.length < nodes; section += 1) {
      node(`report/${section}`, `${section} Section`, "Sections");
      for (let part = 1; part <= 5 && ids.length < nodes; part += 1) {
        node(`report/${section}/${part}`, `${section}.${part} Part`, `Part ${part}`);
        for (let question = 1; question <= 18 && ids.length < nodes; question += 1) {
          const id = `report/${section}/${part}/${question}`;
          node(id, `Question ${section}.${part}.${question}`, question <= 9 ? "Search" : "Write");
          leaves.push(id);
          if (question > 9) add("edge_added", { from: `report/${section}/${part}/${question - 9}`, to: id, kind: "flow" });
        }
      }
      if (section > 1) add("edge_added", { from: `report/${section - 1}`, to: `report/${section}`, kind: "flow" });
    }
  } else {
    for (let place = 0; place < nodes; place += 1) {
      const id = `step-${place}`;
      node(id, `Step ${place}`, `Phase ${place % 40}`);
      leaves.push(id);
      if (place >= 40) add("edge_added", { from: `step-${place - 39 - (place % 3)}`, to: id, kind: place % 7 ? "flow" : "conditional" });
    }
  }
  const each = Math.floor((events - seq - leaves.length * 2) / leaves.length / 3);
  const said = "The cost of a cell fell by a tenth, because the price of lithium fell and plants grew. ";
  const totals = { model_calls: 0, tool_calls: 0, tokens_in: 0, tokens_out: 0, cost: "0", calls_of_unknown_cost: 0 };
  leaves.forEach((id, place) => {
    add("node_started", { visit: 1, phase: "Work" }, id);
    for (let number = 1; number <= each; number += 1) {
      const call = `${id}:1:${number}`;
      add("call_started", { call, model: "m", tier: "quick", prompt: `What does a cell cost, question ${place}, part ${number}?` }, id);
      add("call_finished", {
        call, model: "m", answer: said.repeat(6), thoughts: "", cost: "0.0012", latency_ms: 70, retries: 0,
        usage: { tokens_in: 1000, tokens_out: 120 }, attempts: [],
      }, id);
      add("logged", { level: "info", message: `Read ${number} of ${each} sources.` }, id);
    }
    add("node_finished", { visit: 1, status: "succeeded", duration_ms: 900, complete: true, patch: {} }, id);
  });
  add("run_finished", { status: "succeeded", totals });
  return { file: `${JSON.stringify({ format: "pitwall-run", version: 1 })}\n${lines.join("\n")}\n`, events: seq, nodes: ids.length };
}

const folder = await mkdtemp(join(tmpdir(), "pitwall-large-"));
const token = "a-token-that-only-this-measurement-knows";
const program = process.env.PITWALL_PROGRAM ?? join(root, "target/release/pitwall");
const proxy = await injectingProxy();
const server = spawn(program, ["serve", "--addr", "127.0.0.1:0", "--allow-host", proxy.host, "--data", join(folder, "data")], {
  env: { PATH: process.env.PATH, HOME: folder, PITWALL_TOKEN: token },
  stdio: ["ignore", "pipe", "inherit"],
});
const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium-headless-shell"].find((path) => path && existsSync(path)) ?? chromium.executablePath();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
let failed = false;
try {
  const [line] = await once(createInterface(server.stdout), "line");
  const opened = line.split(" ").at(-1);
  const url = new URL(opened).origin;
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on("pageerror", (error) => {
    failed = true;
    console.log(`    the page failed: ${error}`);
  });
  await page.goto(opened);
  for (const [name, ...size] of [["nested", 1_000, 28_000, true], ["flat", 1_000, 28_000, false], ["long", 1_000, 100_000, true]]) {
    const { file, events, nodes } = runFile(...size);
    const begun = performance.now();
    const response = await fetch(`${url}/api/v1/runs/import`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
      body: file,
    });
    if (response.status !== 201) throw new Error(`The run was not taken in: ${await response.text()}`);
    const { run } = await response.json();
    console.log(`${name}: ${nodes} nodes, ${events} events, ${Math.round(file.length / 1e6)} MB, taken in after ${Math.round(performance.now() - begun)} ms`);
    const html = await (await fetch(`${url}/runs/${run}`, { headers: { authorization: `Bearer ${token}` } })).text();
    report("page, bytes of HTML", html.length, limits.html);
    // The program's files are there already, as on any second visit.
    const ready = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await page.goto(`${url}/runs/${run}`);
      await page.waitForFunction(() => document.documentElement.hasAttribute("data-hydrated"));
      ready.push(await page.evaluate(() => performance.now()));
    }
    report("ready, ms", Math.min(...ready), limits.ready);
    await count(page, "graph");
    for (const view of ["Transcript", "Timeline", "Events", "Graph"]) await open(page, view, events);
    await travel(page, "Time slider to the middle", 0.5);
    await travel(page, "Time slider to a tenth", 0.1);
    await travel(page, "Time slider a bit on", 0.11);
    // What taking the file in needed for a moment is given back by then.
    await page.waitForTimeout(5_000);
    report("server, MB", await memory(server.pid), limits.memory);
  }
  // The address that lets in does so once; cookies belong to a host, whatever its port.
  const storageState = await page.context().storageState();
  await page.close();
  await watchManyArrive(url, storageState);
} finally {
  await browser.close();
  proxy.close();
  server.kill();
  await rm(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

function report(what, figure, limit) {
  const isBeyond = limit !== undefined && figure > limit;
  failed ||= isBeyond;
  const beside = limit === undefined ? "" : `  (limit ${limit.toLocaleString("en-US")})${isBeyond ? "  !" : ""}`;
  console.log(`    ${what.padEnd(34)} ${Math.round(figure).toLocaleString("en-US").padStart(9)}${beside}`);
}

/** Elements that are in the document. */
async function count(page, view) {
  report(`${view}, elements`, await page.evaluate(() => document.querySelectorAll("*").length), limits.elements);
}

/** Opens a view, waits until its content is painted, then prints how long the second opening took: by then all is loaded. */
async function open(page, view, events) {
  const tab = page.getByRole("tablist", { name: "Views" }).getByRole("tab", { name: view });
  const content = { Transcript: "ol.turns > li", Timeline: ".timeline-row", Events: ".event-row", Graph: ".node-card" }[view];
  const show = async () => {
    const begun = await page.evaluate(() => performance.now());
    await tab.click();
    await page.waitForSelector(content);
    return (await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())))))) - begun;
  };
  report(`${view}, first time, ms`, await show());
  if (view === "Events") await page.getByText(`${events} events`, { exact: true }).waitFor();
  await count(page, view.toLowerCase());
  const other = view === "Graph" ? "Events" : "Graph";
  await page.getByRole("tablist", { name: "Views" }).getByRole("tab", { name: other }).click();
  await page.waitForTimeout(300);
  report(`${view}, again, ms`, await show(), limits.view);
}

/** Moves the slider to a share of its length, once the log is there, and prints when the page of that moment is painted. */
async function travel(page, what, share) {
  const slider = page.getByRole("slider", { name: "Event" });
  await page.waitForFunction(() => !document.querySelector("#time-slider").disabled);
  const taken = await slider.evaluate(async (slider, share) => {
    const words = document.querySelector(".time-words");
    const before = words.textContent;
    const begun = performance.now();
    slider.value = String(Math.round(Number(slider.max) * share));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    while (words.textContent === before) await painted();
    await painted();
    return performance.now() - begun;
  }, share);
  report(`${what}, ms`, taken, limits.view);
}

/** Opens the page of a run that waits, and adds to what its socket brings: 2,000 events a second, at each view. */
async function watchManyArrive(url, storageState) {
  const { run, seq } = await waitingRun(url);
  proxy.follow(new URL(url).port, run);
  const context = await browser.newContext({ storageState, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    failed = true;
    console.log(`    the page failed: ${error}`);
  });
  await page.goto(`http://${proxy.host}/runs/${run}`);
  await page.locator(".run-facts").getByText("Live", { exact: true }).waitFor();
  console.log(`live: ${arriving.events} events a second, for ${arriving.seconds} s at each view`);
  const idle = await page.evaluate(countFrames, 1);
  console.log(`    ${"while nothing arrives".padEnd(34)} ${Math.round(idle.rate).toString().padStart(9)}`);
  const events = eventsFrom(run, seq);
  // A hundred nodes join first, while the browser still compiles what it runs for the first time: told of, not judged.
  for (const [place, view] of ["Graph", "Graph", "Transcript", "Timeline", "Events"].entries()) {
    await page.getByRole("tablist", { name: "Views" }).getByRole("tab", { name: view }).click();
    await page.waitForTimeout(500);
    const frames = page.evaluate(countFrames, arriving.seconds);
    const begun = performance.now();
    let sent = 0;
    while (performance.now() - begun < arriving.seconds * 1_000) {
      const due = Math.floor(((performance.now() - begun) / 1_000) * arriving.events);
      proxy.send(Array.from({ length: due - sent }, () => events.next().value));
      sent = due;
      await new Promise((wake) => setTimeout(wake, 10));
    }
    const { rate, longest } = await frames;
    const isJoining = place === 0;
    const isSlow = rate < arriving.frames && !isJoining;
    failed ||= isSlow;
    const limit = isJoining ? "while 100 nodes join" : `(wanted ${arriving.frames})${isSlow ? "  !" : ""}`;
    console.log(`    ${`${view}, frames a second`.padEnd(34)} ${Math.round(rate).toString().padStart(9)}  ${limit}, the longest ${Math.round(longest)} ms`);
  }
  const last = events.next().value.seq;
  await page.waitForFunction((seq) => document.querySelector(".time-words")?.textContent === `event ${seq}`, last - 1);
  await context.close();
}

/** Starts a run that waits for a person, and says how far its log goes. */
async function waitingRun(url) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const workflow = { type: "pipeline", ticker: "AAPL", date: "2022-06-30" };
  const body = JSON.stringify({ workflow, approval: { type: "every" } });
  const response = await fetch(`${url}/api/v1/runs`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`The run was not started: ${await response.text()}`);
  const { run } = await response.json();
  for (;;) {
    const view = await (await fetch(`${url}/api/v1/runs/${run}`, { headers })).json();
    if (view.summary.status === "waiting") return { run, seq: view.summary.seq };
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Forwards all to a server, and adds text messages to what the socket of one run brings. */
async function injectingProxy() {
  const sockets = new Set();
  let [port, run, socket] = [];
  const proxy = createServer((client) => {
    const server = connect(Number(port), "127.0.0.1");
    for (const end of [client, server]) end.on("error", () => end.destroy()).on("close", () => (client.destroy(), server.destroy()));
    sockets.add(client);
    client.on("data", (data) => {
      if (data.subarray(0, 200).includes(`GET /ws/v1/runs/${run}`)) socket = client;
    });
    client.pipe(server);
    server.pipe(client);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const frame = (text) => {
    const payload = Buffer.from(text);
    const head = payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 255]);
    return Buffer.concat([head, payload]);
  };
  return {
    host: `127.0.0.1:${proxy.address().port}`,
    follow: (itsPort, itsRun) => ([port, run] = [itsPort, itsRun]),
    send: (events) => socket.write(Buffer.concat(events.map((event) => frame(JSON.stringify(event))))),
    close: () => (sockets.forEach((socket) => socket.destroy()), proxy.close()),
  };
}

/** What 100 nodes at work do, without an end. */
function* eventsFrom(run, last) {
  let seq = last;
  const event = (kind, data, node) => ({ run, seq: (seq += 1), at: Date.now(), node, body: { kind, data } });
  const ids = Array.from({ length: 100 }, (_, place) => `many-${place}`);
  for (const id of ids) {
    yield event("node_added", { id, label: `Node ${id}`, role: "analyst", kind: "agent", phase: "Many", planned_visits: 1 }, id);
    yield event("node_started", { visit: 1, phase: "Many" }, id);
  }
  for (let number = 1; ; number += 1) {
    for (const id of ids) {
      const call = `${id}:1:${number}`;
      yield event("call_started", { call, model: "m", tier: "quick", prompt: `Part ${number}?` }, id);
      yield event("call_finished", {
        call, model: "m", answer: "The cost of a cell fell by a tenth, because plants grew. ".repeat(6), thoughts: "", cost: "0.0012", latency_ms: 70,
        retries: 0, usage: { tokens_in: 1000, tokens_out: 120 }, attempts: [],
      }, id);
      yield event("logged", { level: "info", message: `Read source ${number}.` }, id);
    }
  }
}

/** Runs in the page: the frames a second that it draws, and the longest time between two. */
function countFrames(seconds) {
  return new Promise((done) => {
    const begun = performance.now();
    let [frames, before, longest] = [0, begun, 0];
    requestAnimationFrame(function next() {
      const now = performance.now();
      [frames, longest, before] = [frames + 1, Math.max(longest, now - before), now];
      if (now - begun < seconds * 1_000) requestAnimationFrame(next);
      else done({ rate: (frames * 1_000) / (now - begun), longest });
    });
  });
}

/** What a process holds of its own, in megabytes: the pages of its program are the file's. */
async function memory(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "@playwright/test";
import { expect, test } from "./fixtures";
import { Server, freePort } from "./server";

const examples = resolve(__dirname, "../../docs/deploy");
const nobody = { cookies: [], origins: [] };

/** Something in front of a server, at a port of its own. */
type Proxy = { close: () => Promise<void> };

/** Passes on every byte: what a proxy that changes nothing does. */
async function passOn(port: number, target: number): Promise<Proxy> {
  const proxy = createServer((incoming) => {
    const outgoing = connect(target, "127.0.0.1");
    for (const [from, to] of [[incoming, outgoing], [outgoing, incoming]] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
  });
  proxy.listen(port, "127.0.0.1");
  await once(proxy, "listening");
  return { close: async () => void proxy.close() };
}

const hosted = {
  nginx: {
    file: "nginx.conf",
    listens: /listen 80;/,
    listen: (port: number) => `listen 127.0.0.1:${port};`,
    around: (config: string, folder: string) =>
      `daemon off; pid ${folder}/pid; error_log stderr;\nevents {}\nhttp { access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;\n${config}\n}\n`,
    command: (config: string) => ["nginx", "-c", config, "-e", "stderr"],
  },
  caddy: {
    file: "Caddyfile",
    listens: /^:80 \{/m,
    listen: (port: number) => `http://127.0.0.1:${port} {`,
    around: (config: string) => `{\n\tadmin off\n}\n${config}`,
    command: (config: string) => ["caddy", "run", "--adapter", "caddyfile", "--config", config],
  },
};

/** The example of the documentation, with other ports. */
async function byExample(name: keyof typeof hosted, port: number, target: number): Promise<Proxy> {
  const { file, listens, listen, around, command } = hosted[name];
  const folder = await mkdtemp(join(tmpdir(), "pitwall-proxy-"));
  const example = await readFile(join(examples, file), "utf8");
  expect(example).toMatch(listens);
  const config = example.replace(listens, listen(port)).replace("127.0.0.1:3000", `127.0.0.1:${target}`);
  await writeFile(join(folder, "config"), around(config, folder));
  const [program, ...rest] = command(join(folder, "config"));
  const running: ChildProcess = spawn(program, rest, { stdio: "ignore", env: { ...process.env, HOME: folder } });
  const ended = once(running, "exit");
  await expect(async () => {
    await fetch(`http://127.0.0.1:${port}/`);
  }).toPass({ timeout: 10_000 });
  return {
    close: async () => {
      running.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

for (const name of ["a proxy that changes nothing", "nginx", "caddy"] as const) {
  test(`below a path, behind ${name}, all of a page works`, async ({ browser, problems }) => {
    const isHosted = name === "nginx" || name === "caddy";
    test.skip(isHosted && spawnSync(name, [name === "nginx" ? "-v" : "version"]).error !== undefined, `${name} is not installed`);
    const port = await freePort();
    const outside = `http://127.0.0.1:${port}`;
    const server = await Server.launch({ PITWALL_BASE_PATH: "/pitwall", PITWALL_ALLOW_ORIGIN: outside });
    const inside = Number(new URL(server.url).port);
    const proxy = await (isHosted ? byExample(name, port, inside) : passOn(port, inside));
    const context = await browser.newContext({ storageState: nobody, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    problems.watch(page);
    const missing: string[] = [];
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() >= 400 || !pathname.startsWith("/pitwall/")) missing.push(`${response.status()} ${pathname}`);
    });
    const live = () => page.locator("html[data-hydrated]").waitFor({ state: "attached" });

    await page.goto(`${outside}/pitwall/runs?status=succeeded`);
    await page.getByLabel("Token").fill(server.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${outside}/pitwall/runs?status=succeeded`);
    await live();
    // To another part of the program, without a load of the page.
    await page.evaluate(() => Object.assign(window, { here: true }));
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await expect(page).toHaveURL(`${outside}/pitwall/`);
    await expect(page.getByRole("link", { name: "Overview", exact: true })).toHaveAttribute("aria-current", "page");
    await page.getByRole("link", { name: "All kinds" }).click();
    await expect(page).toHaveURL(`${outside}/pitwall/start`);
    await page.getByRole("button", { name: "Start the run" }).click();
    await expect(page).toHaveURL(new RegExp(`^${outside}/pitwall/runs/[0-9a-f-]+$`));
    expect(await page.evaluate(() => "here" in window), "the page was not loaded anew").toBe(true);
    await expect(page.locator(".connection").first()).toContainText(/Live|Complete|Ended/);

    // What is chosen stands in the address, and is there after a reload.
    await page.getByRole("tab", { name: "Events" }).click();
    await expect(page).toHaveURL(/\/pitwall\/runs\/[0-9a-f-]+\?view=events$/);
    await page.reload();
    await live();
    await expect(page.getByRole("tab", { name: "Events" })).toHaveAttribute("aria-selected", "true");

    await page.getByRole("button", { name: "Share" }).click();
    const dialog = page.getByRole("dialog", { name: "Share this run" });
    await dialog.getByRole("button", { name: "Share", exact: true }).click();
    const link = await dialog.getByLabel("Link").inputValue();
    expect(link).toContain(`${outside}/pitwall/s/`);
    const guest = await (await browser.newContext({ storageState: nobody })).newPage();
    await guest.goto(link);
    await expect(guest).toHaveURL(new RegExp(`^${outside}/pitwall/runs/`));
    await guest.context().close();

    expect(missing).toEqual([]);
    await context.close();
    await proxy.close();
    await server.remove();
  });
}

test("whoever signs in at a plain address of a server with https is told what to do", async ({ launchOptions }) => {
  const port = await freePort();
  const host = `pitwall.test:${port}`;
  const server = await Server.launch({
    PITWALL_ALLOW_HOST: host,
    PITWALL_ALLOW_ORIGIN: "https://pitwall.example.com",
  });
  const proxy = await passOn(port, Number(new URL(server.url).port));
  const rules = "--host-resolver-rules=MAP pitwall.test 127.0.0.1";
  const browser = await chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), rules] });
  const page = await browser.newPage();
  await page.goto(`http://${host}/runs`);
  await page.getByLabel("Token").fill(server.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("Open the https:// address of this server");
  expect(new URL(page.url()).searchParams.get("next"), "where to go then is kept").toBe("/runs");
  // The address that is printed leads to the same sentence.
  await page.goto(`http://${host}/?token=${server.token}`);
  await expect(page.getByRole("alert")).toContainText("Open the https:// address of this server");
  await browser.close();
  await proxy.close();
  await server.remove();
});

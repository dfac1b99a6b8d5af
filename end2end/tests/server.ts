import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "../..");
const program = process.env.PITWALL_PROGRAM ?? join(root, "target/release/pitwall");
const readyWithinMs = 30_000;

/** What lets the tests in: every server is started with it. */
const token = "a-token-that-only-the-tests-know";

/** Accounts to begin with, and their roles. */
export type Accounts = Record<string, "owner" | "viewer" | "administrator">;

/** Settings of a server, as environment variables. `{port}` stands for the server's own. */
export type Variables = Record<string, string>;

/** A Pitwall server of its own, with its own data, which survive a kill and a restart. */
export class Server {
  /** The password of every account. */
  static readonly password = "correct horse battery staple";
  readonly url: string;
  /** What lets in where there are no accounts. */
  readonly token = token;
  private running?: ChildProcess;
  private output = "";

  private constructor(
    private readonly address: string,
    readonly data: string,
    private readonly variables: Variables,
  ) {
    this.url = `http://${address}`;
  }

  /** A running server with empty data. */
  static async launch(variables: Variables = {}, accounts: Accounts = {}): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), "pitwall-"));
    const port = await freePort();
    const settings = Object.entries(variables).map(([name, value]) => [name, value.replace("{port}", String(port))]);
    const server = new Server(`127.0.0.1:${port}`, data, Object.fromEntries(settings) as Variables);
    for (const [name, role] of Object.entries(accounts)) {
      const settings = { PATH: process.env.PATH, PITWALL_PASSWORD: Server.password };
      spawnSync(program, ["account", "--data", data, "add", name, "--role", role], { env: settings });
    }
    await server.start();
    return server;
  }

  /** Starts it on the data that it has; returns when it answers. */
  async start(): Promise<void> {
    if (this.running) throw new Error("The server runs already.");
    const started = spawn(program, ["serve", "--addr", this.address, "--data", this.data], {
      cwd: root,
      // No keys of the machine's owner: unless a test names a model, the rehearsal answers.
      env: { PATH: process.env.PATH, HOME: this.data, RUST_BACKTRACE: "1", PITWALL_TOKEN: token, ...this.variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.running = started;
    started.once("exit", (code, signal) => {
      this.output += `The server ended: ${signal ?? `code ${code}`}\n`;
      if (this.running === started) this.running = undefined;
    });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on("data", (piece: Buffer) => (this.output += piece.toString()));
    }
    // A program that cannot be started has no exit, only an error.
    const failed = new Promise<never>((_, reject) => started.once("error", reject));
    await Promise.race([this.answers(), failed]);
  }

  /** Asks its REST interface, with the token. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** The address that the server prints at its start: its token is swapped for a cookie there. */
  get addressToOpen(): string {
    return `${this.url}/?token=${token}`;
  }

  /** Ends it as a power cut would: with SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Kills it and starts it again on the same data and at the same address. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Ends it and removes its data. */
  async remove(): Promise<void> {
    await this.end("SIGKILL");
    await rm(this.data, { recursive: true, force: true });
  }

  /** What it printed since this was last asked. */
  takeOutput(): string {
    const output = this.output;
    this.output = "";
    return output;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const ending = this.running;
    if (!ending) return;
    const exited = once(ending, "exit");
    ending.kill(signal);
    await exited;
  }

  private async answers(): Promise<void> {
    const deadline = Date.now() + readyWithinMs;
    while (Date.now() < deadline) {
      if (!this.running) throw new Error(`The server ended at once:\n${this.output}`);
      const response = await fetch(`${this.url}/healthz`).catch(() => undefined);
      if (response?.ok) return;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error(`The server did not answer within ${readyWithinMs / 1000} s:\n${this.output}`);
  }
}

/** A port of this machine that nobody uses now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { extname, join, normalize } from "node:path";
import type { Server } from "./server";

/** The Python that has Studio's pages and what its clients speak with; `scripts/setup.sh` installs it. */
export const python = "python-of-studio-client";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** AutoGen Studio's own built pages, whose interface is Pitwall's: `/api` leads there, all else is a file. */
export class StudioPages {
  /** What the pages asked of the interface, with the status of the answer. */
  readonly asked: string[] = [];
  private readonly listener = createServer((asked, answer) => this.serve(asked, answer));

  private constructor(
    private readonly files: string,
    private readonly server: Server,
  ) {}

  /** Serves them on an address of their own. */
  static async launch(server: Server): Promise<StudioPages> {
    const where = "import importlib.util as u; print(u.find_spec('autogenstudio').submodule_search_locations[0])";
    const found = spawnSync(python, ["-c", where], { encoding: "utf8" });
    const pages = new StudioPages(join(found.stdout.trim(), "web/ui"), server);
    pages.listener.on("upgrade", (asked, client, head) => pages.upgrade(asked, client as Socket, head));
    pages.listener.listen(0, "127.0.0.1");
    await once(pages.listener, "listening");
    return pages;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.listener.closeAllConnections();
    this.listener.close();
    await once(this.listener, "close");
  }

  private serve(asked: IncomingMessage, answer: ServerResponse): void {
    const path = decodeURIComponent((asked.url ?? "/").split("?")[0]);
    if (path.startsWith("/api/")) return this.forward(asked, answer);
    const beginning = join(this.files, normalize(path));
    const file = [beginning, join(beginning, "index.html")].find((place) => existsSync(place) && statSync(place).isFile());
    if (!file) {
      answer.writeHead(404).end();
      return;
    }
    answer.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
  }

  private forward(asked: IncomingMessage, answer: ServerResponse): void {
    const { hostname, port } = new URL(this.server.url);
    const options = { hostname, port, path: asked.url, method: asked.method, headers: this.headers(asked) };
    const onward = request(options, (answered) => {
      this.asked.push(`${answered.statusCode} ${asked.method} ${asked.url}`);
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  }

  private upgrade(asked: IncomingMessage, client: Socket, head: Buffer): void {
    const { hostname, port } = new URL(this.server.url);
    const onward = connect(Number(port), hostname, () => {
      const lines = Object.entries(this.headers(asked)).map(([name, value]) => `${name}: ${value}`);
      onward.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      client.pipe(onward).pipe(client);
    });
    for (const socket of [client, onward]) socket.on("error", () => (client.destroy(), onward.destroy()));
  }

  /** The pages know no way of signing in to Pitwall, so their requests are given one. */
  private headers(asked: IncomingMessage): Record<string, string> {
    const { hostname, port } = new URL(this.server.url);
    const headers = { ...asked.headers, host: `${hostname}:${port}`, authorization: `Bearer ${this.server.token}` };
    const own = Object.entries(headers).filter(([name]) => name !== "origin" && name !== "referer");
    return Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
  }
}

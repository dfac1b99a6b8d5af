import { once } from "node:events";
import { type AddressInfo, type Server as Listener, type Socket, connect, createServer } from "node:net";

/** What a proxy does with a request to open a WebSocket. */
export type Upgrades = "pass" | "refuse" | "ignore" | "break";

/**
 * A proxy between a browser and a server that misbehaves as it is told. It passes bytes on; of HTTP it knows
 * only how to tell a request for a WebSocket, and where an answer ends when it gathers whole answers.
 */
export class Proxy {
  /** What becomes of sockets that are asked for from now on. */
  upgrades: Upgrades = "pass";
  /** Whether an answer is passed on only once all of it has come. */
  buffers = false;
  /** Milliseconds that every piece of an answer waits. */
  delay = 0;
  /** Sockets that were asked for, by path. */
  readonly asked: string[] = [];
  private readonly pairs = new Set<Pair>();
  private target?: { host: string; port: number };
  private frozen = false;
  private closed = false;

  private constructor(private readonly listener: Listener) {
    listener.on("connection", (client) => this.accept(client));
  }

  /** A proxy of which only the address is known yet. */
  static async listen(): Promise<Proxy> {
    const listener = createServer();
    const proxy = new Proxy(listener);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return proxy;
  }

  /** Passes on to the server at `url`, which has to answer to the proxy's own name. */
  leadTo(url: string): void {
    this.target = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  }

  /** Its name, as browsers call it. */
  get host(): string {
    return `127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** Where a browser finds it. */
  get url(): string {
    return `http://${this.host}`;
  }

  /** Lets everything through again. */
  behave(): void {
    this.upgrades = "pass";
    this.asked.length = 0;
    this.buffers = false;
    this.delay = 0;
    this.thaw();
    this.open();
  }

  /** Breaks all connections, as a reset of the line would. */
  cut(): void {
    for (const pair of this.pairs) pair.destroy();
  }

  /** Passes no byte on from now on, in neither direction, and keeps all connections open, new ones as well. */
  freeze(): void {
    this.frozen = true;
    for (const pair of this.pairs) pair.freeze();
  }

  /** Passes bytes on again. What was frozen stays so: its bytes are lost, as with an address that changed. */
  thaw(): void {
    this.frozen = false;
  }

  /** Lets no connection come through any more, until it is opened again. */
  close(): void {
    this.closed = true;
    this.cut();
  }

  /** Lets connections come through again. */
  open(): void {
    this.closed = false;
  }

  /** Ends. */
  async remove(): Promise<void> {
    this.listener.close();
    this.cut();
    await once(this.listener, "close");
  }

  private accept(client: Socket): void {
    if (this.closed || !this.target) return void client.destroy();
    const pair: Pair = new Pair(client, connect(this.target), this, () => this.pairs.delete(pair));
    this.pairs.add(pair);
    if (this.frozen) pair.freeze();
  }
}

/** One connection of a browser and the one to the server for it. */
class Pair {
  private frozen = false;
  /** A WebSocket: no more HTTP. */
  private isSocket = false;
  private gathered = Buffer.alloc(0);

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly proxy: Proxy,
    private readonly ended: () => void,
  ) {
    for (const side of [client, server]) {
      side.setNoDelay(true);
      side.on("error", () => this.destroy());
      side.on("close", () => this.destroy());
    }
    client.on("data", (bytes) => this.fromClient(bytes));
    server.on("data", (bytes) => this.fromServer(bytes));
  }

  freeze(): void {
    this.frozen = true;
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
    this.ended();
  }

  private fromClient(bytes: Buffer): void {
    if (this.frozen) return;
    const head = this.isSocket ? "" : bytes.toString("latin1");
    if (/\r\nupgrade: websocket/i.test(head)) {
      this.proxy.asked.push(head.split(" ")[1] ?? "");
      switch (this.proxy.upgrades) {
        case "refuse":
          this.client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
          this.server.destroy();
          return;
        case "ignore":
          return;
        case "break":
          // Soon after it has begun, each time.
          setTimeout(() => this.destroy(), 300);
          break;
        case "pass":
      }
      this.isSocket = true;
    }
    this.server.write(bytes);
  }

  private fromServer(bytes: Buffer): void {
    if (this.frozen) return;
    if (this.proxy.buffers && !this.isSocket) {
      this.gathered = Buffer.concat([this.gathered, bytes]);
      if (!isWhole(this.gathered)) return;
      bytes = this.gathered;
      this.gathered = Buffer.alloc(0);
    }
    if (this.proxy.delay === 0) return void this.client.write(bytes);
    setTimeout(() => {
      if (!this.frozen && !this.client.destroyed) this.client.write(bytes);
    }, this.proxy.delay);
  }
}

/** Whether these bytes are an HTTP answer with all of its body. */
function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = answer.subarray(0, end).toString("latin1");
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return answer.length >= end + 4 + Number(length);
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return answer.subarray(-5).toString("latin1") === "0\r\n\r\n";
  return true;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Builder, type WebDriver } from "selenium-webdriver";
import logInspector from "selenium-webdriver/bidi/logInspector";
import { freePort } from "../tests/server";

/** The browsers that are tested through WebDriver. */
export type Kind = "firefox" | "webkitgtk";

const readyWithinMs = 30_000;

/** A browser without a person before it, and the program that drives it. */
export class Browser {
  private readonly errors: string[] = [];

  private constructor(
    readonly session: WebDriver,
    private readonly driver: ChildProcess,
    private readonly kind: Kind,
  ) {}

  /** Starts the driver of this browser, and the browser by it. */
  static async launch(kind: Kind): Promise<Browser> {
    const port = await freePort();
    const [program, ...settings] =
      kind === "firefox"
        ? ["geckodriver", `--port=${port}`, `--websocket-port=${await freePort()}`, "--log=fatal"]
        : ["WebKitWebDriver", `--port=${port}`];
    // Of what it prints nothing is about the page.
    const driver = spawn(program, settings, { stdio: "ignore", env: { ...process.env, LC_ALL: "C.UTF-8" } });
    // A test that is given up, such as one that takes too long, leaves none behind.
    process.once("exit", () => driver.kill());
    const failed = new Promise<never>((_, reject) => driver.once("error", reject));
    const address = `http://127.0.0.1:${port}`;
    await Promise.race([answers(address), failed]);

    const wanted =
      kind === "firefox"
        ? { browserName: "firefox", webSocketUrl: true, "moz:firefoxOptions": { args: ["-headless"] } }
        : { browserName: "MiniBrowser" };
    const builder = new Builder().usingServer(address).withCapabilities(wanted);
    try {
      const session = await builder.build();
      const browser = new Browser(session, driver, kind);
      if (kind === "firefox") await browser.listen();
      return browser;
    } catch (error) {
      driver.kill();
      throw error;
    }
  }

  /** Its name and version, as it tells them itself. */
  async version(): Promise<string> {
    const capabilities = await this.session.getCapabilities();
    return `${capabilities.getBrowserName()} ${capabilities.getBrowserVersion()}`;
  }

  /** What to type into a field for a day: WebKit has a part each for month, day and year, in the order of en-US. */
  keysOfDay(day: string): string {
    const [year, month, date] = day.split("-");
    return this.kind === "firefox" ? day : `${month}/${date}/${year}`;
  }

  /** Collects the errors of the page that was just opened: WebKit's driver does not tell them. */
  async watchPage(): Promise<void> {
    if (this.kind === "webkitgtk") await this.session.executeScript(collectErrors);
  }

  /** The errors in its pages since this was last asked. */
  async takeErrors(): Promise<string[]> {
    if (this.kind === "firefox") return this.errors.splice(0);
    return this.session.executeScript("return (window.errorsOfThisPage ?? []).splice(0)");
  }

  async quit(): Promise<void> {
    await this.session.quit().catch(() => undefined);
    if (this.driver.exitCode !== null) return;
    const exited = once(this.driver, "exit");
    this.driver.kill();
    await exited;
  }

  /** Hears of errors by WebDriver BiDi. */
  private async listen(): Promise<void> {
    const log = await logInspector(this.session);
    await log.onLog(({ level, text }) => {
      if (level === "error") this.errors.push(text);
    });
  }
}

/** Runs in the page. */
function collectErrors(): void {
  const page = window as unknown as { errorsOfThisPage?: string[] };
  if (page.errorsOfThisPage) return;
  const errors: string[] = (page.errorsOfThisPage = []);
  addEventListener("error", ({ message }) => errors.push(message));
  addEventListener("unhandledrejection", ({ reason }) => errors.push(`unhandled: ${reason}`));
  const print = console.error.bind(console);
  console.error = (...words: unknown[]) => {
    errors.push(words.join(" "));
    print(...words);
  };
}

async function answers(address: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    const response = await fetch(`${address}/status`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`The driver did not answer within ${readyWithinMs / 1000} s.`);
}

import { once } from "node:events";
import { type IncomingMessage, type Server as HttpServer, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What the provider says that an answer used. */
export type Usage = { prompt_tokens: number; completion_tokens: number; total_tokens: number };

/** A question as the tool `ask_person` takes it. */
export type Question = { question: string; why: string; options?: string[]; schema?: object };

/** An OpenAI-compatible provider on this machine, which streams its answers. */
export class Provider {
  /** What it has charged, in the order of the answers. */
  readonly usages: Usage[] = [];
  /** The `Authorization` headers that it was sent. */
  readonly credentials = new Set<string>();
  /** What people answered to its questions, as it was sent. */
  readonly answers: string[] = [];
  /** What it asks a person with its next answer that may. */
  question: Question | undefined;
  /** What each answer waits for after its first words. */
  private held: Promise<void> = Promise.resolve();

  private constructor(
    private readonly http: HttpServer,
    private readonly use: (answer: number) => [prompt: number, completion: number],
  ) {}

  /** Starts one; `use` says how many tokens its n-th answer takes, counted from 0. */
  static async start(use: (answer: number) => [prompt: number, completion: number]): Promise<Provider> {
    const http = createServer();
    const provider = new Provider(http, use);
    http.on("request", (request, response) => void provider.answer(request, response));
    await once(http.listen(0, "127.0.0.1"), "listening");
    return provider;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/v1/`;
  }

  /** Lets each answer wait after its first words, until the function that this returns is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.held = new Promise((resolve) => (release = resolve));
    return () => release();
  }

  async end(): Promise<void> {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, "close");
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const piece of request) body += String(piece);
    this.credentials.add(request.headers.authorization ?? "none");
    const { model, messages, tools } = JSON.parse(body) as ChatRequest;
    this.answers.push(...messages.filter(({ role }) => role === "tool").map(({ content }) => content));
    const [prompt_tokens, completion_tokens] = this.use(this.usages.length);
    const usage: Usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
    this.usages.push(usage);

    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\n\n`);
    const question = tools?.some((tool) => tool.function.name === "ask_person") ? this.question : undefined;
    if (question) {
      this.question = undefined;
      const call = { index: 0, id: "call_1", type: "function", function: { name: "ask_person", arguments: JSON.stringify(question) } };
      send({ model, choices: [{ index: 0, delta: { tool_calls: [call] } }] });
    } else {
      const text = wantsRating(body) ? rating : prose(this.usages.length);
      for (const content of text.match(/[^]{1,40}/g) ?? []) {
        send({ model, choices: [{ index: 0, delta: { content } }] });
        await this.held;
        await new Promise((wake) => setTimeout(wake, 5));
      }
    }
    send({ model, choices: [{ index: 0, delta: {}, finish_reason: question ? "tool_calls" : "stop" }] });
    send({ model, choices: [], usage });
    response.end("data: [DONE]\n\n");
  }
}

type ChatRequest = {
  model: string;
  messages: { role: string; content: string }[];
  tools?: { function: { name: string } }[];
};

/** Whether the answer must be JSON with a grade. */
const wantsRating = (body: string) => /\\*"grade\\*"/.test(body);

const rating = JSON.stringify({
  grade: "overweight",
  confidence: "medium",
  summary: "The averages point upwards; the debate found no reason against it.",
  thesis: "Both sides were heard, and the bull had the better figures.",
});

const prose = (answer: number) =>
  `Remark ${answer}. The figures were read and weighed, and nothing in them contradicts the trend.`;

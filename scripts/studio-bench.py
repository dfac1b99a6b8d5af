"""Measures Pitwall and AutoGen Studio as their clients meet them, one after the other, and prints the ratios.

    one run        200 replayed messages of one run over its socket: messages a second, CPU a message
    many runs      50 runs at once of 20 messages, the task and 19 answers of a model that takes 100 ms for each: until
                   the first message of an agent, and until the last run is over, which takes 1.9 s at least
    token streams  50 runs whose model writes 50 tokens a second: how late a token comes
    memory         what the server holds after these

`scripts/studio-bench.sh` starts both servers and this. Every message of Pitwall's is on the disk before it is sent.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import statistics
import time
import urllib.request

USER = "guestuser@gmail.com"
AT_ONCE, MESSAGES_OF_MANY, LATENCY = 50, 20, 0.1
MESSAGES, REPEATS = 200, 20
TOKENS, TOKENS_A_SECOND = 150, 50


# The model: an OpenAI-compatible provider that answers late, or a token at a time with the moment of each. It and the
# clients below take what comes as the event loop has it, so that what is measured is the server and not them.


class Model(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.came, self.streaming = transport, bytearray(), None

    def connection_lost(self, _):
        if self.streaming:
            self.streaming.cancel()

    def data_received(self, data):
        self.came += data
        while (body := self.request()) is not None:
            if b"STREAM" in body:
                self.streaming = asyncio.create_task(self.stream())
            else:
                answer = PIECES if STREAMS.search(body) else WHOLE
                asyncio.get_running_loop().call_later(LATENCY, self.transport.write, answer)

    def request(self):
        """The body of the next request that has come whole."""
        head = self.came.find(b"\r\n\r\n")
        if head < 0:
            return None
        begin = head + 4
        end = begin + int(LENGTH.search(self.came, 0, begin)[1])
        if len(self.came) < end:
            return None
        body = bytes(self.came[begin:end])
        del self.came[:end]
        return body

    async def stream(self):
        """Tokens, each with the moment when it was sent."""
        self.transport.write(STREAM_HEAD)
        begun = time.monotonic()
        for number in range(TOKENS):
            await asyncio.sleep(max(0, begun + number / TOKENS_A_SECOND - time.monotonic()))
            self.transport.write(chunk(piece(f"t{time.time():.6f} ")))
        self.transport.write(STREAM_END)


def piece(content, **more):
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": "stop" if more else None}
    return {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "measured", "choices": [choice], **more}


def chunk(data):
    """A server-sent event, as one chunk."""
    text = f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
    return f"{len(text):x}\r\n".encode() + text + b"\r\n"


def whole():
    choice = {"index": 0, "message": {"role": "assistant", "content": "An answer."}, "finish_reason": "stop"}
    answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "measured", "choices": [choice]}
    text = json.dumps({**answer, "usage": USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text) + text


# What does not change is written once: the model is to take no time of its own.
STREAMS = re.compile(rb'"stream":\s*true')
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
STREAM_END = chunk(piece("", usage=USAGE)) + chunk("[DONE]") + b"0\r\n\r\n"
WHOLE = whole()
PIECES = STREAM_HEAD + chunk(piece("An answer.")) + STREAM_END


def serve_model(port):
    async def serve():
        async with await asyncio.get_running_loop().create_server(Model, "127.0.0.1", port) as server:
            await server.serve_forever()

    asyncio.run(serve())


async def answering(port):
    """Returns once the model takes connections."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


# Teams, as Studio's files hold them.


def component(provider, kind, config):
    return {"provider": provider, "component_type": kind, "version": 1, "component_version": 1, "config": config}


def agent(name, client, streams=False):
    config = {
        "name": name,
        "description": name,
        "system_message": "STREAM" if streams else "Answer.",
        "model_client": client,
        "model_client_stream": streams,
        "tools": [],
        "reflect_on_tool_use": False,
        "tool_call_summary_format": "{result}",
    }
    return component("autogen_agentchat.agents.AssistantAgent", "agent", config)


def team(agents, messages):
    until = {"max_messages": messages, "include_agent_event": False}
    end = component("autogen_agentchat.conditions.MaxMessageTermination", "termination", until)
    config = {"participants": agents, "termination_condition": end}
    return component("autogen_agentchat.teams.RoundRobinGroupChat", "team", config)


def replayed(texts):
    config = {"chat_completions": texts}
    return component("autogen_ext.models.replay.ReplayChatCompletionClient", "model", config)


def asked(base_url):
    info = {"vision": False, "function_calling": True, "json_output": True, "family": "unknown", "structured_output": False}
    config = {"model": "measured", "api_key": "none", "base_url": base_url, "model_info": info}
    return component("autogen_ext.models.openai.OpenAIChatCompletionClient", "model", config)


# A server under test.


class Server:
    def __init__(self, name, address, pid, token):
        self.name, self.address, self.pid, self.token = name, address, pid, token

    def ask(self, method, path, body=None):
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", method=method, data=data, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def runs(self, component, count):
        """Runs that are to begin, all in a session that has this team."""
        saved = self.ask("POST", "/api/teams/", {"user_id": USER, "component": component})
        session = {"name": "measured", "user_id": USER, "team_id": saved["data"]["id"]}
        session = self.ask("POST", "/api/sessions/", session)["data"]["id"]
        run = {"session_id": session, "user_id": USER}
        return [self.ask("POST", "/api/runs/", run)["data"]["run_id"] for _ in range(count)]

    async def connect(self, run):
        """A client of a run, whose socket has been opened."""
        host, port = self.address.split(":")
        path = f"/api/ws/runs/{run}?token={self.token or 'null'}"
        _, client = await asyncio.get_running_loop().create_connection(lambda: Client(self, path), host, int(port))
        await client.is_open
        return client

    def cpu(self):
        """Seconds that the server has worked."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Mebibytes that it holds."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


# A client of a socket (RFC 6455).


class Client(asyncio.Protocol):
    """Keeps each message with the moment when it came. Its first one says that the connection stands."""

    def __init__(self, server, path):
        self.name, self.request = server.name, HANDSHAKE % (path.encode(), server.address.encode())
        self.read, self.is_shaken, self.came = bytearray(), False, []
        loop = asyncio.get_running_loop()
        self.is_open, self.is_over = loop.create_future(), loop.create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.request)

    def connection_lost(self, _):
        lost = ConnectionError(f"{self.name} closed the connection")
        for awaited in (self.is_open, self.is_over):
            if not awaited.done():
                awaited.set_exception(lost)

    def data_received(self, data):
        self.read += data
        if not self.is_shaken:
            head = self.read.find(b"\r\n\r\n")
            if head < 0:
                return
            if not self.read.startswith(b"HTTP/1.1 101"):
                raise SystemExit(f"{self.name} refused the socket: {bytes(self.read[:200])}")
            self.is_shaken = True
            del self.read[: head + 4]
        at, begin = time.time(), 0
        while (frame := self.frame(begin)) is not None:
            kind, payload, begin = frame
            if kind == TEXT:
                self.hear(at, payload)
            elif kind == PING:
                self.send(PONG, payload)
        del self.read[:begin]

    def frame(self, begin):
        """The frame that begins here, if it has come whole, and where it ends."""
        if len(self.read) < begin + 2:
            return None
        length, head = self.read[begin + 1], 2
        if length >= 126:
            head = 4 if length == 126 else 10
            length = int.from_bytes(self.read[begin + 2 : begin + head], "big")
        end = begin + head + length
        if len(self.read) < end or len(self.read) < begin + head:
            return None
        return self.read[begin], bytes(self.read[begin + head : end]), end

    def hear(self, at, payload):
        if not self.is_open.done():
            self.is_open.set_result(None)
            return
        self.came.append((at, payload.decode()))
        if payload.startswith(ENDS) and not self.is_over.done():
            self.is_over.set_result(None)

    def send(self, kind, payload):
        length = len(payload)
        if length < 126:
            size = bytes([128 | length])
        elif length < 1 << 16:
            size = bytes([128 | 126]) + length.to_bytes(2, "big")
        else:
            size = bytes([128 | 127]) + length.to_bytes(8, "big")
        # A key of zeros masks nothing.
        self.transport.write(bytes([kind]) + size + bytes(4) + payload)


TEXT, PING, PONG = 0x81, 0x89, 0x8A
ENDS = tuple(f'{{"type":{gap}"{kind}"'.encode() for gap in ("", " ") for kind in ("result", "completion"))
HANDSHAKE = (
    b"GET %b HTTP/1.1\r\nhost: %b\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def start(component):
    return json.dumps({"type": "start", "task": "Write.", "files": None, "team_config": component}).encode()


async def follow(server, run, component):
    """Each message of a run with the moment when it came, and the moment of its start."""
    client = await server.connect(run)
    begun = time.time()
    client.send(TEXT, start(component))
    await client.is_over
    client.transport.close()
    _, last = client.came[-1]
    if '"completion"' in last[:24]:
        raise SystemExit(f"{server.name}: a run failed: {last[:400]}")
    return begun, client.came


async def one_run(server):
    half = MESSAGES // 2
    agents = [agent(name, replayed([f"{name} {number}" for number in range(half)])) for name in ("one", "other")]
    component = team(agents, MESSAGES + 1)
    rates, before = [], server.cpu()
    runs = server.runs(component, REPEATS)
    for run in runs:
        begun, came = await follow(server, run, component)
        rates.append(MESSAGES / (came[-1][0] - begun))
    worked = (server.cpu() - before) / (REPEATS * MESSAGES)
    return {"messages a second": statistics.median(rates), "CPU a message (ms)": worked * 1000}


async def many_runs(server, base_url):
    client = asked(base_url)
    component = team([agent("one", client), agent("other", client)], MESSAGES_OF_MANY)
    runs = server.runs(component, AT_ONCE)
    all_runs = await asyncio.gather(*(follow(server, run, component) for run in runs))
    begun = min(begun for begun, _ in all_runs)

    def first(came):
        return next(at for at, text in came if '"message"' in text[:20] and '"source":"user"' not in text.replace(" ", ""))

    return {
        "until the first message (s)": max(first(came) for _, came in all_runs) - begun,
        "until all runs are over (s)": max(came[-1][0] for _, came in all_runs) - begun,
    }


async def token_streams(server, base_url):
    component = team([agent("one", asked(base_url), streams=True)], 2)
    runs = server.runs(component, AT_ONCE)
    lags = []
    for _, came in await asyncio.gather(*(follow(server, run, component) for run in runs)):
        for at, text in came:
            if '"message_chunk"' in text[:30]:
                # A piece may hold several tokens: each came when it came.
                content = json.loads(text)["data"]["content"]
                lags.extend(at - float(word[1:]) for word in content.split() if word.startswith("t"))
    if not lags:
        raise SystemExit(f"{server.name}: no token came before its message")
    lags.sort()
    return {"token lag p50 (ms)": lags[len(lags) // 2] * 1000, "token lag p99 (ms)": lags[len(lags) * 99 // 100] * 1000}


async def measure(server, base_url):
    figures = await one_run(server)
    figures |= await many_runs(server, base_url)
    figures |= await token_streams(server, base_url)
    return figures | {"memory (MiB)": server.memory()}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("servers", nargs="+", help="name,address,pid,token")
    parser.add_argument("--model-port", type=int, required=True)
    arguments = parser.parse_args()
    base_url = f"http://127.0.0.1:{arguments.model_port}/v1"
    columns = {}
    # In a process of its own, so that it does not wait for the clients, nor they for it.
    provider = multiprocessing.Process(target=serve_model, args=(arguments.model_port,), daemon=True)
    provider.start()
    await answering(arguments.model_port)
    for described in arguments.servers:
        name, address, pid, token = described.split(",")
        columns[name] = await measure(Server(name, address, int(pid), token), base_url)
    names = list(columns)
    print(f"{'':32}" + "".join(f"{name:>12}" for name in names) + f"{'ratio':>10}")
    for figure in columns[names[0]]:
        values = [columns[name][figure] for name in names]
        line = f"{figure:32}" + "".join(f"{value:12.3f}" for value in values)
        if len(values) == 2 and min(values) > 0:
            line += f"{max(values) / min(values):9.1f}×"
        print(line)


asyncio.run(main())

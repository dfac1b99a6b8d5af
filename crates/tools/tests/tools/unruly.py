"""A server of tools on standard input and output that misbehaves as its first argument says."""

import json
import os
import subprocess
import sys
import time

MODE = sys.argv[1]
SECRET = os.environ.get("PLANTED_KEY", "")


def send(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def for_ever(write, text):
    try:
        while True:
            write(text)
    except BrokenPipeError:
        os._exit(1)


def flood():
    message = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "a"}}
    for_ever(sys.stdout.write, json.dumps(message) + "\n")


def endless_line():
    for_ever(sys.stdout.write, "a" * 4096)


def tool(name, description="", schema=None):
    return {"name": name, "description": description, "inputSchema": schema or {"type": "object"}}


NUMBER = {"type": "object", "properties": {"length": {"type": "integer"}}, "required": ["length"]}
TOOLS = [
    tool("environment", "Tells the variables that it sees."),
    tool("long", "Answers with a text of so many bytes.", NUMBER),
    *(tool(name) for name in ["hang", "freeze", "die", "flood", "endless_line", "refuse", "nonsense"]),
    *(tool(name) for name in ["ask", "change", "family", "several at once"]),
]


def call(name, arguments):
    """The result of a call; None where none is sent."""
    if name == "environment":
        return dict(os.environ)
    if name == "long":
        return "é" * (arguments["length"] // 2)
    if name == "freeze":
        time.sleep(3600)
    if name == "die":
        os._exit(7)
    if name == "flood":
        flood()
    if name == "endless_line":
        endless_line()
    if name == "ask":
        send(id="mine", method="sampling/createMessage", params={"messages": [], "maxTokens": 1})
        return json.loads(sys.stdin.readline())
    if name == "change":
        TOOLS.append(tool("new one"))
        send(method="notifications/tools/list_changed")
        return "changed"
    if name == "family":
        # It ignores what it is told, as a careless program does.
        stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
        child = subprocess.Popen([sys.executable, "-c", stubborn], stdin=subprocess.DEVNULL)
        return [os.getpid(), child.pid]
    if name == "several at once":
        return "done"
    return None


def answer(request):
    method, id = request.get("method"), request.get("id")
    if method == "initialize":
        capabilities = {"tools": {"listChanged": True}}
        version = request["params"]["protocolVersion"]
        server = {"name": "unruly", "version": "1"}
        result = {"protocolVersion": version, "capabilities": capabilities, "serverInfo": server}
        send(id=id, result={"nonsense": True} if MODE == "nonsense" else result)
    elif method == "tools/list":
        if MODE == "no-list":
            send(id=id, error={"code": -32000, "message": "No list for " + SECRET + "\n\x1b[31m" + "a" * 10000})
        else:
            send(id=id, result={"tools": TOOLS})
    elif method == "tools/call":
        name, arguments = request["params"]["name"], request["params"].get("arguments", {})
        if name == "refuse":
            send(id=id, error={"code": -32602, "message": "Not with " + SECRET})
        elif name == "nonsense":
            send(id=id, result={"nonsense": True})
        else:
            result = call(name, arguments)
            if result is not None:
                text = result if isinstance(result, str) else json.dumps(result)
                send(id=id, result={"content": [{"type": "text", "text": text}]})


if MODE == "exit":
    sys.exit(3)
if MODE == "mute":
    time.sleep(3600)
if MODE == "flood":
    flood()
if MODE == "endless-line":
    endless_line()
if MODE == "garbage":
    for_ever(lambda text: (sys.stdout.write(text), sys.stdout.flush(), time.sleep(0.01)), "{]\n\0\n[]\n\"text\"\n")
if MODE == "chatty":
    for number in range(10000):
        sys.stderr.write(f"line {number} of {SECRET}\n" + "a" * 10000 + "\n")

for line in sys.stdin:
    answer(json.loads(line))

"""A conversation about three companies, as a client of MAWS holds it: `client.py ADDRESS TOKEN`.

Prints one JSON object with what it saw. It knows nothing of Pitwall but docs/maws.md.
"""

import asyncio
import json
import sys

import websockets

TASK = "Analyze the stock performance of Apple, Google, and Tesla over the last month and summarize the key findings."
QUESTION = "What is the current status?"
INSTRUCTION = "Rewrite the summary to focus only on Tesla's stock volatility."


async def connect(address, token, after=None):
    place = f"ws://{address}/ws/three-companies" + (f"?after={after}" if after else "")
    return await websockets.connect(place, additional_headers={"Authorization": f"Bearer {token}"})


async def received(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 60))


async def refusal(address):
    """The HTTP status for a client without a token."""
    try:
        await websockets.connect(f"ws://{address}/ws/three-companies")
    except websockets.exceptions.InvalidStatus as refused:
        return refused.response.status_code
    return None


async def talk(address, token):
    seen = {"refused": await refusal(address), "states": [], "executors": [], "pieces": 0, "reports": []}
    socket = await connect(address, token)
    seen["begins"] = (await received(socket))["state"]
    await socket.send(TASK)
    asked, position = False, None
    while len(seen["reports"]) < 2 or seen["states"][-1] != "REFINEMENT_READY":
        message = await received(socket)
        position = message.get("position", position)
        kind, event = message["type"], message.get("event")
        if kind == "STATE":
            seen["states"].append(message["state"])
            if message["state"] == "REFINEMENT_READY" and len(seen["reports"]) == 1:
                # Gone and back: what comes now follows what was received.
                await socket.close()
                socket = await connect(address, token, position)
                seen["again"] = (await received(socket))["state"]
                await socket.send(INSTRUCTION)
        elif kind == "AGENT STREAM" and event == "started" and message["agent"] == "executor":
            seen["executors"].append(message["label"])
            if not asked:
                asked = True
                await socket.send(QUESTION)
        elif kind == "AGENT STREAM" and event == "report":
            seen["reports"].append(message["text"])
        elif kind == "CHAT_RESPONSE" and message["done"]:
            seen["answer"], seen["asked_in"] = message["text"], seen["states"][-1]
        elif kind == "CHAT_RESPONSE":
            seen["pieces"] += 1
        elif kind in ("ERROR", "REFUSED"):
            raise SystemExit(message["message"])
    await socket.close()
    return seen


print(json.dumps(asyncio.run(talk(*sys.argv[1:]))))

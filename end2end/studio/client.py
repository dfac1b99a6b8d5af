"""A client of AutoGen Studio, as people write them: a session, a run, and its socket.

Its arguments are the server's address, a token, and the files of a team and of a task. It writes each frame of the run
as a line of JSON, from the first message to the end, and answers questions with "DONE".
"""

import asyncio
import json
import sys
import urllib.request

import websockets


def ask(address, token, method, path, body=None):
    request = urllib.request.Request(
        f"http://{address}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


async def main(address, token, team_file, task):
    with open(team_file, encoding="utf-8") as file:
        team = json.load(file)
    user = "guestuser@gmail.com"
    session = ask(address, token, "POST", "/api/sessions/", {"name": "from Python", "user_id": user})["data"]["id"]
    run = ask(address, token, "POST", "/api/runs/", {"session_id": session, "user_id": user})["data"]["run_id"]
    async with websockets.connect(f"ws://{address}/api/ws/runs/{run}?token={token}") as socket:
        connected = json.loads(await socket.recv())
        assert connected["type"] == "system" and connected["status"] == "connected", connected
        await socket.send(json.dumps({"type": "start", "task": task, "files": [], "team_config": team}))
        async for text in socket:
            frame = json.loads(text)
            print(json.dumps(frame))
            if frame["type"] == "input_request":
                await socket.send(json.dumps({"type": "input_response", "response": "DONE"}))
            elif frame["type"] in ("result", "completion"):
                break
    rows = ask(address, token, "GET", f"/api/runs/{run}/messages")["data"]
    print(json.dumps({"type": "kept", "data": [row["config"] for row in rows]}))


asyncio.run(main(*sys.argv[1:]))

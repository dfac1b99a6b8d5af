"""A talk with a team through OpenAI's own client: `client.py ADDRESS TOKEN`.

Prints one JSON object with what it saw. It knows nothing of Pitwall but its address.
"""

import json
import sys

import openai

address, token = sys.argv[1:]
client = openai.OpenAI(base_url=f"http://{address}/v1", api_key=token)
seen = {"models": {model.id: model.name for model in client.models.list()}}
seen["retrieved"] = client.models.retrieve("Writers").id

talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write."}]
whole = client.chat.completions.with_raw_response.create(model="Writers", messages=talk)
seen["run"] = whole.headers["x-pitwall-run"]
answer = whole.parse()
seen["whole"] = [answer.id, answer.choices[0].message.content, answer.choices[0].finish_reason]
seen["usage"] = [answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens]

talk.append({"role": "assistant", "content": answer.choices[0].message.content})
talk.append({"role": "user", "content": "Again."})
chunks = list(
    client.chat.completions.create(
        model="Writers", messages=talk, stream=True, stream_options={"include_usage": True}
    )
)
deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
seen["role"] = deltas[0].role
seen["streamed"] = "".join(delta.content or "" for delta in deltas)
seen["thinking"] = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
seen["finish"] = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1]
seen["streamed_usage"] = chunks[-1].usage is not None and all(chunk.usage is None for chunk in chunks[:-1])


def refused(ask):
    try:
        ask()
    except openai.APIError as error:
        return [type(error).__name__, error.message, error.code]
    return None


def asked(**fields):
    return lambda: client.chat.completions.create(messages=talk, **fields)


def streamed(**fields):
    return lambda: list(asked(stream=True, **fields)())


seen["unknown"] = refused(asked(model="Painters"))
seen["tools"] = refused(asked(model="Writers", tools=[{"type": "function", "function": {"name": "x"}}]))
seen["failed"] = refused(asked(model="Silent"))
seen["failed_streamed"] = refused(streamed(model="Silent"))
stranger = openai.OpenAI(base_url=f"http://{address}/v1", api_key="guessed")
seen["stranger"] = refused(lambda: stranger.models.list())
print(json.dumps(seen))

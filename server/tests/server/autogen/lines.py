"""What each line of AutoGen writes and loads by itself: `lines.py VERSION write` and `lines.py VERSION load`.

The first prints files of teams and of parts as this line writes them, `{name: component}`. The second reads components
`{name: component}` and prints what this line says of each: `{"loads": what it has understood}`, or `{"refuses": why}`. Nothing is asked of any model, and nothing of this is Pitwall's.
"""

import asyncio
import json
import pathlib
import sys
import warnings

version, act = sys.argv[1:]
sys.path.insert(0, str(pathlib.Path(sys.prefix) / version))
warnings.simplefilter("ignore")

import autogen_agentchat.agents as agents
import autogen_agentchat.conditions as conditions
import autogen_agentchat.teams as teams
import autogen_core.model_context as contexts
from autogen_agentchat.base import ChatAgent, Handoff, Team, TerminationCondition
from autogen_core.memory import ListMemory, MemoryContent
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import FunctionTool, StaticWorkbench
from autogen_core.tools._function_tool import FunctionToolConfig
from autogen_ext.models.anthropic import AnthropicChatCompletionClient
from autogen_ext.models.ollama import OllamaChatCompletionClient
from autogen_ext.models.openai import OpenAIChatCompletionClient
from autogen_ext.models.replay import ReplayChatCompletionClient
from autogen_ext.tools.mcp import McpWorkbench, SseServerParams, StdioServerParams

NEWER = version >= "0.6"
INFO = {"vision": False, "function_calling": True, "json_output": True, "structured_output": False, "family": "unknown"}


def model(**more):
    return OpenAIChatCompletionClient(model="gpt-4o", **more)


def agent(name, **more):
    more = {"description": f"Is {name}.", "system_message": f"You are {name}.", "model_client": model()} | more
    return agents.AssistantAgent(name, **more)


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def benches():
    """Tool servers, as many as an agent of this line may have."""
    program = McpWorkbench(StdioServerParams(command="uvx", args=["mcp-server-fetch"], env={"MODE": "quiet"}))
    if not NEWER:
        return program
    from autogen_ext.tools.mcp import StreamableHttpServerParams

    addresses = [SseServerParams(url="https://example.com/sse"), StreamableHttpServerParams(url="https://example.com/mcp")]
    return [StaticWorkbench([FunctionTool(add, description="Adds.")]), program] + [McpWorkbench(one) for one in addresses]


async def remembering():
    memory = ListMemory(name="notes")
    await memory.add(MemoryContent(content="Prices are in euro.", mime_type="text/plain"))
    return agent("keeper", memory=[memory])


def graph():
    first, second, third, last = (agent(name) for name in ["first", "second", "third", "last"])
    builder = teams.DiGraphBuilder()
    for node in [first, second, third]:
        builder.add_node(node)
    builder.add_node(last, activation="any")
    builder.add_edge(first, second).add_edge(second, third, condition="again").add_edge(second, last, condition="done")
    builder.add_edge(third, second, **({"activation_group": "back", "activation_condition": "any"} if NEWER else {}))
    builder.set_entry_point(first)
    return teams.GraphFlow([first, second, third, last], graph=builder.build(), max_turns=9)


def of_conditions():
    each = [
        conditions.MaxMessageTermination(12, include_agent_event=True),
        conditions.TextMentionTermination("DONE"),
        conditions.StopMessageTermination(),
        conditions.TokenUsageTermination(max_total_token=5000),
        conditions.TimeoutTermination(120),
        conditions.ExternalTermination(),
        conditions.SourceMatchTermination(["a"]),
        conditions.TextMessageTermination("a"),
        conditions.FunctionCallTermination("add"),
    ]
    whole = conditions.HandoffTermination("user")
    for number, one in enumerate(each):
        whole = whole | one if number % 2 else whole & one
    return teams.RoundRobinGroupChat([agent("a"), agents.UserProxyAgent("human")], termination_condition=whole, max_turns=4)


def alone(one):
    return teams.RoundRobinGroupChat([one], max_turns=1)


async def written():
    """Each kind of team, and each kind of part, once at least."""
    inner = teams.RoundRobinGroupChat([agent("a"), agent("b")], max_turns=2)
    society = agents.SocietyOfMindAgent("society", team=inner, model_client=model(), instruction="Read.", response_prompt="Answer.")
    selector = {"selector_prompt": "Of {participants} in {roles} after {history}.", "max_selector_attempts": 2}
    if NEWER:
        selector["model_context"] = contexts.BufferedChatCompletionContext(7)
    files = {
        "conditions": of_conditions(),
        "selector": teams.SelectorGroupChat([agent("a"), agent("b")], model(), allow_repeated_speaker=True, **selector),
        "swarm": teams.Swarm(
            [agent("a", handoffs=["b", Handoff(target="user", message="Over to you.")]), agent("b", handoffs=["a"])],
            termination_condition=conditions.HandoffTermination("user"),
        ),
        "magentic": teams.MagenticOneGroupChat([agent("a")], model(), max_stalls=2, final_answer_prompt="Say it: {task}"),
        "graph": graph(),
        "society": alone(society),
        "tools": alone(agent("caller", tools=[FunctionTool(add, description="Adds.")], reflect_on_tool_use=True)),
        "tool servers": alone(agent("caller", workbench=benches())),
        "memory": alone(await remembering()),
        "stream": alone(agent("streamer", model_client_stream=True, tool_call_summary_format="{tool_name}: {result}")),
        "filter": alone(
            agents.MessageFilterAgent(
                "filtered", wrapped_agent=agent("a"), filter=agents.MessageFilterConfig(per_source=[agents.PerSourceFilter(source="user")])
            )
        ),
        "one agent": agent("single"),
        "one model": model(temperature=0.5),
        "one condition": conditions.TextMentionTermination("DONE"),
    }
    for name, context in {
        "buffered": contexts.BufferedChatCompletionContext(7),
        "head and tail": contexts.HeadAndTailChatCompletionContext(2, 5),
        "token limited": contexts.TokenLimitedChatCompletionContext(model(), token_limit=900),
    }.items():
        files[f"context {name}"] = alone(agent("reader", model_context=context))
    for name, client in {
        "with parameters": model(temperature=0.2, top_p=0.9, max_tokens=50, seed=4, stop=["END"], base_url="http://127.0.0.1:1/v1", model_info=INFO),
        "with a key": model(api_key="sk-a-key-of-a-file-that-is-not-kept"),
        "by its name": OpenAIChatCompletionClient(model="gemini-2.0-flash"),
        "of anthropic": AnthropicChatCompletionClient(model="claude-3-5-sonnet-20241022", max_tokens=500),
        "of ollama": OllamaChatCompletionClient(model="llama3.2", host="http://127.0.0.1:11434", options={"temperature": 0.1}),
        "of a replay": ReplayChatCompletionClient(["One.", "Two."], model_info=INFO),
    }.items():
        files[f"model {name}"] = alone(agent("writer", model_client=client))
    if NEWER:
        files["team within a team"] = teams.RoundRobinGroupChat([inner, agent("c")], max_turns=2)
        files["tool rounds"] = alone(agent("caller", tools=[FunctionTool(add, description="Adds.")], max_tool_iterations=3))
    return {name: as_json(one) for name, one in files.items()}


def as_json(one):
    return one.dump_component().model_dump(mode="json", exclude_none=True)


def loaded(component):
    kinds = {"team": Team, "agent": ChatAgent, "termination": TerminationCondition, "model": ChatCompletionClient}
    try:
        one = kinds[component["component_type"]].load_component(component)
    except Exception as error:
        return {"refuses": f"{type(error).__name__}: {error}"}
    return {"loads": meaning(as_json(one))}


def meaning(value):
    """What a component does: without the words for people, its version, its keys and what its model can do. What a team
    is called does nothing where it is not within another one."""
    if isinstance(value, list):
        return [meaning(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "provider" in value and "config" in value:
        return {"class": value["provider"].rsplit(".", 1)[-1]} | meaning(value["config"])
    without = ["api_key", "model_info"] + (["name", "description"] if "participants" in value else [])
    return {key: meaning(one) for key, one in value.items() if key not in without}


def without_source(tool):
    """A tool as it is written again: of one that was loaded, Python does not know the source any more."""
    return FunctionToolConfig(
        source_code="", name=tool.name, description=tool.description, global_imports=[], has_cancellation_support=False
    )


async def main():
    if act == "write":
        return await written()
    FunctionTool._to_config = without_source
    return {name: loaded(component) for name, component in json.load(sys.stdin).items()}


print(json.dumps(asyncio.run(main())))

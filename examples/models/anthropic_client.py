"""Models through Anthropic's own client for Python: another base URL, another key, and nothing else.

Needs `pip install anthropic`, ROWHOUSE_URL and ROWHOUSE_KEY. ROWHOUSE_POOR_KEY is a key with next to no budget, ROWHOUSE_SPENT_KEY one
whose calls for today are used up. The models in ROWHOUSE_TOOLS_MODELS are asked to call a tool.
"""

import os

import anthropic

URL = os.environ.get("ROWHOUSE_URL", "http://127.0.0.1:8080")
MODEL = "rowhouse-extractive"
QUESTION = {
    "max_tokens": 200,
    "system": "The office opens at nine. The canteen is closed on Mondays.",
    "messages": [{"role": "user", "content": "When does the office open?"}],
}


def with_key(key):
    return anthropic.Anthropic(base_url=URL, api_key=key)


def ask(client, model=MODEL):
    return client.messages.create(model=model, **QUESTION)


def refused(kind, status, word, call):
    try:
        call()
    except kind as error:
        told = error.body["error"]["type"]
        assert (error.status_code, told) == (status, word), (error.status_code, told, str(error))
        assert error.request_id == error.body["request_id"], (error.request_id, error.body)
        return
    raise AssertionError(f"not refused: {word}")


def offers_tools(client, model):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    asked = {"model": model, "max_tokens": 200, "tools": [{"name": "weather", "input_schema": schema}]}
    messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
    message = client.messages.create(messages=messages, **asked)
    call = message.content[-1]
    assert (message.stop_reason, call.name, call.input) == ("tool_use", "weather", {"city": "Oslo"}), message
    # Back with the result, and streamed this time: the input comes in pieces, and the client puts them together.
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Rain."}
    messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    with client.messages.stream(messages=messages, **asked) as stream:
        streamed = stream.get_final_message()
    assert streamed.content[-1].input == {"city": "Oslo"}, streamed


client = with_key(os.environ["ROWHOUSE_KEY"])

models = {model.id: model for model in client.models.list()}
assert models[MODEL].type == client.models.retrieve(MODEL).type == "model", models

answer = ask(client)
assert "opens at nine" in answer.content[0].text and answer.stop_reason == "end_turn", answer
assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, answer.usage

raw = client.messages.with_raw_response.create(model=MODEL, **QUESTION)
assert int(raw.headers["x-rowhouse-cost-micros"]) > 0 and raw.parse().content[0].text, raw.headers

with client.messages.stream(model=MODEL, **QUESTION) as stream:
    text = "".join(stream.text_stream)
    streamed = stream.get_final_message()
assert text == streamed.content[0].text == answer.content[0].text, text
assert (streamed.stop_reason, streamed.usage.output_tokens) == ("end_turn", answer.usage.output_tokens), streamed

refused(anthropic.NotFoundError, 404, "not_found_error", lambda: ask(client, "nobody"))
refused(anthropic.NotFoundError, 404, "not_found_error", lambda: client.models.retrieve("nobody"))
refused(anthropic.AuthenticationError, 401, "authentication_error", lambda: ask(with_key("rh_live_wrong")))
empty = QUESTION | {"messages": []}
refused(anthropic.BadRequestError, 400, "invalid_request_error", lambda: client.messages.create(model=MODEL, **empty))
if poor := os.environ.get("ROWHOUSE_POOR_KEY"):
    refused(anthropic.APIStatusError, 402, "billing_error", lambda: ask(with_key(poor)))
if spent := os.environ.get("ROWHOUSE_SPENT_KEY"):
    refused(anthropic.RateLimitError, 429, "rate_limit_error", lambda: ask(with_key(spent)))
for model in os.environ.get("ROWHOUSE_TOOLS_MODELS", "").split():
    offers_tools(client, model)
print("anthropic for python: asked, streamed, refused where it should be")

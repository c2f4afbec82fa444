"""Models through OpenAI's own client for Python: another base URL, another key, and nothing else.

Needs `pip install openai`, ROWHOUSE_URL and ROWHOUSE_KEY. ROWHOUSE_POOR_KEY is a key with next to no budget, ROWHOUSE_SPENT_KEY one
whose calls for today are used up. The models in ROWHOUSE_TOOLS_MODELS are asked to call a tool, the one in
ROWHOUSE_EMBEDDING_MODEL for vectors. With ROWHOUSE_ANSWERS the documents of the organisation are asked, which hold these words.
"""

import json
import os

import openai

URL = os.environ.get("ROWHOUSE_URL", "http://127.0.0.1:8080") + "/v1"
MODEL = "rowhouse-extractive"
EMBEDDING = "rowhouse-minilm"
ANSWERS = "rowhouse/answers"
QUESTION = [
    {"role": "system", "content": "The office opens at nine. The canteen is closed on Mondays."},
    {"role": "user", "content": "When does the office open?"},
]


def with_key(key):
    return openai.OpenAI(base_url=URL, api_key=key)


def ask(client, model=MODEL):
    return client.chat.completions.create(model=model, messages=QUESTION, max_completion_tokens=200)


def refused(kind, status, code, call):
    try:
        call()
    except kind as error:
        assert (error.status_code, error.code) == (status, code), (error.status_code, error.code, str(error))
        assert error.request_id and error.body["message"] in str(error), error.body
        return
    raise AssertionError(f"not refused: {code}")


def offers_tools(client, model):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": parameters}}]
    messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
    message = client.chat.completions.create(model=model, messages=messages, tools=tools).choices[0].message
    call = message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Oslo"}), call
    # Back with the result, and streamed this time: the arguments come in pieces, and the client puts them together.
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "Rain."}]
    with client.chat.completions.stream(model=model, messages=messages, tools=tools) as stream:
        streamed = stream.get_final_completion().choices[0].message
    assert json.loads(streamed.tool_calls[0].function.arguments) == {"city": "Oslo"}, streamed


def respond(client, asked, **more):
    return client.responses.create(model=MODEL, instructions=QUESTION[0]["content"], input=asked, store=False, **more)


def responds(client):
    asked = QUESTION[1]["content"]
    answer = respond(client, asked)
    assert "opens at nine" in answer.output_text and (answer.status, answer.store) == ("completed", False), answer
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0, answer.usage
    events = list(respond(client, [{"role": "user", "content": asked}], stream=True))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed"), events
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text == answer.output_text, (text, answer.output_text)
    refused(
        openai.BadRequestError, 400, "invalid_request", lambda: respond(client, asked, previous_response_id="resp_1")
    )


def responds_with_tools(client, model):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "name": "weather", "parameters": parameters, "strict": False}]
    items = [{"role": "user", "content": "What is the weather in Oslo?"}]
    answer = client.responses.create(model=model, input=items, tools=tools)
    call = next(item for item in answer.output if item.type == "function_call")
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Oslo"}), call
    # Back with the result, and streamed this time: the client puts the pieces together.
    items += [*answer.output, {"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}]
    with client.responses.stream(model=model, input=items, tools=tools) as stream:
        output = stream.get_final_response().output
    call = next(item for item in output if item.type == "function_call")
    assert json.loads(call.arguments) == {"city": "Oslo"}, output


def asks_documents(client, says):
    messages = QUESTION[1:]
    message = client.chat.completions.create(model=ANSWERS, messages=messages).choices[0].message
    title = message.citations[0]["title"]
    assert says in message.content and message.content.endswith(f"[1] {title}"), message
    assert says in message.citations[0]["quote"], message
    text, citations = "", None
    for chunk in client.chat.completions.create(model=ANSWERS, messages=messages, stream=True):
        delta = chunk.choices[0].delta
        text += delta.content or ""
        citations = getattr(delta, "citations", None) or citations
    assert (text, citations) == (message.content, message.citations), (text, citations)


client = with_key(os.environ["ROWHOUSE_KEY"])

models = [model.id for model in client.models.list()]
assert MODEL in models and EMBEDDING in models, models
assert client.models.retrieve(MODEL).owned_by == "rowhouse"

answer = ask(client)
assert "opens at nine" in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop", answer
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0, answer.usage

raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION)
assert int(raw.headers["x-rowhouse-cost-micros"]) > 0 and raw.parse().choices[0].message.content, raw.headers

stream = client.chat.completions.create(
    model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
)
text, usage = "", None
for chunk in stream:
    text += "".join(choice.delta.content or "" for choice in chunk.choices)
    usage = chunk.usage or usage
assert text == answer.choices[0].message.content and usage.total_tokens == answer.usage.total_tokens, (text, usage)

refused(openai.NotFoundError, 404, "model_not_found", lambda: ask(client, "nobody"))
refused(openai.NotFoundError, 404, "model_not_found", lambda: client.models.retrieve("nobody"))
refused(openai.AuthenticationError, 401, "unauthenticated", lambda: ask(with_key("rh_live_wrong")))
refused(openai.BadRequestError, 400, "invalid_request", lambda: client.chat.completions.create(model=MODEL, messages=[]))
if poor := os.environ.get("ROWHOUSE_POOR_KEY"):
    refused(openai.APIStatusError, 402, "budget_exceeded", lambda: ask(with_key(poor)))
if spent := os.environ.get("ROWHOUSE_SPENT_KEY"):
    refused(openai.RateLimitError, 429, "quota_exceeded", lambda: ask(with_key(spent)))
for model in os.environ.get("ROWHOUSE_TOOLS_MODELS", "").split():
    offers_tools(client, model)
    responds_with_tools(client, model)
responds(client)
if says := os.environ.get("ROWHOUSE_ANSWERS"):
    assert ANSWERS in models, models
    asks_documents(client, says)
if model := os.environ.get("ROWHOUSE_EMBEDDING_MODEL"):
    vectors = client.embeddings.create(model=model, input=["nine", "one"])
    assert len(vectors.data) == 2 and isinstance(vectors.data[1].embedding[0], float), vectors

# The embedding model that is always there. The client asks for base64 by itself and decodes it.
texts = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
vectors = client.embeddings.create(model=EMBEDDING, input=texts)
one, near, far = (datum.embedding for datum in vectors.data)
cosine = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))
assert len(one) == 384 and cosine(one, near) > 0.7 > 0.1 > cosine(one, far), (cosine(one, near), cosine(one, far))
assert vectors.usage.prompt_tokens == vectors.usage.total_tokens == 28, vectors.usage
plain = client.embeddings.create(model=EMBEDDING, input=texts[0], encoding_format="float", dimensions=384)
assert cosine(plain.data[0].embedding, one) > 0.9999, plain
print("openai for python: asked, streamed, refused where it should be")

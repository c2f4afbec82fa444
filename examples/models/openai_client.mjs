// Models through OpenAI's own client for JavaScript: another base URL, another key, and nothing else.
//
// Needs `npm install openai`, ROWHOUSE_URL and ROWHOUSE_KEY. ROWHOUSE_POOR_KEY is a key with next to no budget, ROWHOUSE_SPENT_KEY one
// whose calls for today are used up. The models in ROWHOUSE_TOOLS_MODELS are asked to call a tool, the one in ROWHOUSE_EMBEDDING_MODEL
// for vectors. With ROWHOUSE_ANSWERS the documents of the organisation are asked, which hold these words.
import assert from "node:assert/strict";
import OpenAI from "openai";

const { ROWHOUSE_URL = "http://127.0.0.1:8080", ROWHOUSE_KEY, ROWHOUSE_POOR_KEY, ROWHOUSE_SPENT_KEY } = process.env;
const { ROWHOUSE_TOOLS_MODELS = "", ROWHOUSE_EMBEDDING_MODEL, ROWHOUSE_ANSWERS } = process.env;
const model = "rowhouse-extractive";
const embedding = "rowhouse-minilm";
const answers = "rowhouse/answers";
const messages = [
  { role: "system", content: "The office opens at nine. The canteen is closed on Mondays." },
  { role: "user", content: "When does the office open?" },
];

const withKey = (apiKey) => new OpenAI({ baseURL: `${ROWHOUSE_URL}/v1`, apiKey });
const ask = (client, more = {}) => client.chat.completions.create({ model, messages, max_completion_tokens: 200, ...more });
const refused = (kind, status, code, call) =>
  assert.rejects(call, (error) => {
    assert.ok(error instanceof kind && error.requestID, String(error));
    assert.deepEqual([error.status, error.code], [status, code], String(error));
    return true;
  });

const offersTools = async (client, model) => {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tools = [{ type: "function", function: { name: "weather", parameters } }];
  const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
  const { message } = (await client.chat.completions.create({ model, messages, tools })).choices[0];
  const [call] = message.tool_calls;
  assert.deepEqual([call.function.name, JSON.parse(call.function.arguments)], ["weather", { city: "Oslo" }]);
  // Back with the result, and streamed this time: the arguments come in pieces, and the client puts them together.
  messages.push(message, { role: "tool", tool_call_id: call.id, content: "Rain." });
  const streamed = await client.chat.completions.stream({ model, messages, tools }).finalMessage();
  assert.deepEqual(JSON.parse(streamed.tool_calls[0].function.arguments), { city: "Oslo" });
};

const respond = (client, input, more = {}) =>
  client.responses.create({ model, instructions: messages[0].content, input, store: false, ...more });

const responds = async (client) => {
  const asked = messages[1].content;
  const answer = await respond(client, asked);
  assert.ok(answer.output_text.includes("opens at nine") && answer.status === "completed", JSON.stringify(answer));
  assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
  const events = [];
  for await (const event of await respond(client, [{ role: "user", content: asked }], { stream: true })) events.push(event);
  assert.deepEqual([events[0].type, events.at(-1).type], ["response.created", "response.completed"]);
  const text = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
  assert.equal(text, answer.output_text);
  const again = () => respond(client, asked, { previous_response_id: "resp_1" });
  await refused(OpenAI.BadRequestError, 400, "invalid_request", again);
};

const respondsWithTools = async (client, model) => {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tools = [{ type: "function", name: "weather", parameters, strict: false }];
  const input = [{ role: "user", content: "What is the weather in Oslo?" }];
  const { output } = await client.responses.create({ model, input, tools });
  const call = output.find((item) => item.type === "function_call");
  assert.deepEqual([call.name, JSON.parse(call.arguments)], ["weather", { city: "Oslo" }]);
  // Back with the result, and streamed this time: the client puts the pieces together.
  input.push(...output, { type: "function_call_output", call_id: call.call_id, output: "Rain." });
  const final = await client.responses.stream({ model, input, tools }).finalResponse();
  const streamed = final.output.find((item) => item.type === "function_call");
  assert.deepEqual(JSON.parse(streamed.arguments), { city: "Oslo" });
};

const asksDocuments = async (client, says) => {
  const asked = { model: answers, messages: messages.slice(1) };
  const { message } = (await client.chat.completions.create(asked)).choices[0];
  const [{ title, quote }] = message.citations;
  assert.ok(message.content.includes(says) && message.content.endsWith(`[1] ${title}`), message.content);
  assert.ok(quote.includes(says), quote);
  let text = "";
  let citations;
  for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true })) {
    text += choices[0].delta.content ?? "";
    citations = choices[0].delta.citations ?? citations;
  }
  assert.deepEqual([text, citations], [message.content, message.citations]);
};

const client = withKey(ROWHOUSE_KEY);

const models = [];
for await (const one of client.models.list()) models.push(one.id);
assert.ok(models.includes(model) && models.includes(embedding), models.join());
assert.equal((await client.models.retrieve(model)).owned_by, "rowhouse");

const { data: answer, response } = await ask(client).withResponse();
const { content } = answer.choices[0].message;
assert.ok(content.includes("opens at nine") && answer.choices[0].finish_reason === "stop", content);
assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens > 0);
assert.ok(Number(response.headers.get("x-rowhouse-cost-micros")) > 0);

let text = "";
let usage;
for await (const chunk of await ask(client, { stream: true, stream_options: { include_usage: true } })) {
  text += chunk.choices[0]?.delta.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.deepEqual([text, usage.total_tokens], [content, answer.usage.total_tokens]);

await refused(OpenAI.NotFoundError, 404, "model_not_found", () => ask(client, { model: "nobody" }));
await refused(OpenAI.NotFoundError, 404, "model_not_found", () => client.models.retrieve("nobody"));
await refused(OpenAI.AuthenticationError, 401, "unauthenticated", () => ask(withKey("rh_live_wrong")));
await refused(OpenAI.BadRequestError, 400, "invalid_request", () => ask(client, { messages: [] }));
if (ROWHOUSE_POOR_KEY) await refused(OpenAI.APIError, 402, "budget_exceeded", () => ask(withKey(ROWHOUSE_POOR_KEY)));
if (ROWHOUSE_SPENT_KEY) await refused(OpenAI.RateLimitError, 429, "quota_exceeded", () => ask(withKey(ROWHOUSE_SPENT_KEY)));
for (const model of ROWHOUSE_TOOLS_MODELS.split(" ").filter(Boolean)) {
  await offersTools(client, model);
  await respondsWithTools(client, model);
}
await responds(client);
if (ROWHOUSE_ANSWERS) {
  assert.ok(models.includes(answers), models.join());
  await asksDocuments(client, ROWHOUSE_ANSWERS);
}
if (ROWHOUSE_EMBEDDING_MODEL) {
  const asked = { model: ROWHOUSE_EMBEDDING_MODEL, input: ["nine", "one"] };
  const { data } = await client.embeddings.create(asked);
  assert.ok(data.length === 2 && Number.isFinite(data[1].embedding[0]), JSON.stringify(data));
}

// The embedding model that is always there. The client asks for base64 by itself and decodes it.
const input = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."];
const vectors = await client.embeddings.create({ model: embedding, input });
const [one, near, far] = vectors.data.map((datum) => datum.embedding);
const cosine = (a, b) => a.reduce((sum, x, n) => sum + x * b[n], 0);
assert.ok(one.length === 384 && cosine(one, near) > 0.7 && cosine(one, far) < 0.1, `${cosine(one, near)} ${cosine(one, far)}`);
assert.deepEqual([vectors.usage.prompt_tokens, vectors.usage.total_tokens], [28, 28]);
const plain = await client.embeddings.create({ model: embedding, input: input[0], encoding_format: "float", dimensions: 384 });
assert.ok(cosine(plain.data[0].embedding, one) > 0.9999);
console.log("openai for javascript: asked, streamed, refused where it should be");

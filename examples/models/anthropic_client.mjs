// Models through Anthropic's own client for JavaScript: another base URL, another key, and nothing else.
//
// Needs `npm install @anthropic-ai/sdk`, ROWHOUSE_URL and ROWHOUSE_KEY. ROWHOUSE_POOR_KEY is a key with next to no budget,
// ROWHOUSE_SPENT_KEY one whose calls for today are used up. The models in ROWHOUSE_TOOLS_MODELS are asked to call a tool.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";

const { ROWHOUSE_URL = "http://127.0.0.1:8080", ROWHOUSE_KEY, ROWHOUSE_POOR_KEY, ROWHOUSE_SPENT_KEY, ROWHOUSE_TOOLS_MODELS = "" } = process.env;
const question = {
  model: "rowhouse-extractive",
  max_tokens: 200,
  system: "The office opens at nine. The canteen is closed on Mondays.",
  messages: [{ role: "user", content: "When does the office open?" }],
};

const withKey = (apiKey) => new Anthropic({ baseURL: ROWHOUSE_URL, apiKey });
const ask = (client, more = {}) => client.messages.create({ ...question, ...more });
const refused = (kind, status, word, call) =>
  assert.rejects(call, (error) => {
    assert.ok(error instanceof kind, String(error));
    assert.deepEqual([error.status, error.error.error.type], [status, word], String(error));
    assert.equal(error.requestID, error.error.request_id);
    return true;
  });

const offersTools = async (client, model) => {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const asked = { model, max_tokens: 200, tools: [{ name: "weather", input_schema: schema }] };
  const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
  const message = await client.messages.create({ ...asked, messages });
  const call = message.content.at(-1);
  assert.deepEqual([message.stop_reason, call.name, call.input], ["tool_use", "weather", { city: "Oslo" }]);
  // Back with the result, and streamed this time: the input comes in pieces, and the client puts them together.
  const result = { type: "tool_result", tool_use_id: call.id, content: "Rain." };
  messages.push({ role: "assistant", content: message.content }, { role: "user", content: [result] });
  const streamed = await client.messages.stream({ ...asked, messages }).finalMessage();
  assert.deepEqual(streamed.content.at(-1).input, { city: "Oslo" });
};

const client = withKey(ROWHOUSE_KEY);

const models = [];
for await (const one of client.models.list()) models.push(one.id);
assert.ok(models.includes(question.model), models.join());
assert.equal((await client.models.retrieve(question.model)).type, "model");

const { data: answer, response } = await ask(client).withResponse();
const [{ text }] = answer.content;
assert.ok(text.includes("opens at nine") && answer.stop_reason === "end_turn", text);
assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
assert.ok(Number(response.headers.get("x-rowhouse-cost-micros")) > 0);

const stream = client.messages.stream(question);
let heard = "";
stream.on("text", (piece) => (heard += piece));
const streamed = await stream.finalMessage();
assert.deepEqual([heard, streamed.stop_reason], [text, "end_turn"]);
assert.equal(streamed.usage.output_tokens, answer.usage.output_tokens);

await refused(Anthropic.NotFoundError, 404, "not_found_error", () => ask(client, { model: "nobody" }));
await refused(Anthropic.NotFoundError, 404, "not_found_error", () => client.models.retrieve("nobody"));
await refused(Anthropic.AuthenticationError, 401, "authentication_error", () => ask(withKey("rh_live_wrong")));
await refused(Anthropic.BadRequestError, 400, "invalid_request_error", () => ask(client, { messages: [] }));
if (ROWHOUSE_POOR_KEY) await refused(Anthropic.APIError, 402, "billing_error", () => ask(withKey(ROWHOUSE_POOR_KEY)));
if (ROWHOUSE_SPENT_KEY) await refused(Anthropic.RateLimitError, 429, "rate_limit_error", () => ask(withKey(ROWHOUSE_SPENT_KEY)));
for (const model of ROWHOUSE_TOOLS_MODELS.split(" ").filter(Boolean)) await offersTools(client, model);
console.log("anthropic for javascript: asked, streamed, refused where it should be");

/** The same small program in three languages, with the key filled in: it runs as it stands. */
export function samples(origin: string, key: string, question: string): Record<string, string> {
  const content = `The office opens at nine. Lunch is at one.\\n\\n${question}`;
  return {
    curl: `curl ${origin}/v1/chat/completions \\
  -H "authorization: Bearer ${key}" \\
  -H "content-type: application/json" \\
  -d '{"model": "rowhouse-extractive",
       "messages": [{"role": "user", "content": "${content}"}]}'`,
    Python: `# pip install openai
from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="rowhouse-extractive",
    messages=[{"role": "user", "content": "${content}"}],
)
print(answer.choices[0].message.content)`,
    JavaScript: `// npm install openai
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${origin}/v1", apiKey: "${key}" });
const answer = await client.chat.completions.create({
  model: "rowhouse-extractive",
  messages: [{ role: "user", content: "${content}" }],
});
console.log(answer.choices[0].message.content);`,
  };
}

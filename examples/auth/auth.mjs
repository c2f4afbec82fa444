// Accounts and keys with Node's own fetch. Needs ROWHOUSE_URL.
import assert from "node:assert/strict";

const url = `${process.env.ROWHOUSE_URL ?? "http://127.0.0.1:8080"}/api/v1`;

const call = async (method, path, { body, token } = {}) => {
  const headers = { ...(body && { "content-type": "application/json" }), ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: response.status === 204 ? null : await response.json() };
};

const account = { email: "node@example.com", password: "wet paint on the porch" };
assert.equal((await call("POST", "/auth/signup", { body: { ...account, name: "Node" } })).status, 201);
const login = await call("POST", "/auth/login", { body: account });
const tokens = await call("POST", "/auth/refresh", { body: { refresh_token: login.body.refresh_token } });
const token = tokens.body.access_token;
const me = await call("GET", "/auth/me", { token });
assert.equal(me.body.role, "owner");
const key = await call("POST", "/auth/api-keys", { body: { name: "node example" }, token });
assert.deepEqual((await call("GET", "/auth/me", { token: key.body.key })).body.user, me.body.user);
await call("POST", "/auth/logout", { token });
const refused = await call("GET", "/auth/me", { token });
assert.deepEqual([refused.status, refused.body.error.code], [401, "unauthenticated"]);
console.log("node: signed up, refreshed, made a key, signed out");

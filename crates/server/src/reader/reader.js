"use strict";
// Reads /api/openapi.json and lists its routes. Builds nodes, never HTML from text.

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const resolve = (api, schema) => (schema?.$ref ? schema.$ref.slice(2).split("/").reduce((at, key) => at?.[key], api) : schema);

// An example made out of a schema: what one would send or get.
const example = (api, schema, depth = 0) => {
  const at = resolve(api, schema);
  if (!at || depth > 6) return null;
  if (at.examples?.length) return at.examples[0];
  if (at.enum) return at.enum[0];
  const options = at.anyOf ?? at.oneOf ?? at.allOf;
  if (options) return example(api, options.find((option) => option.type !== "null"), depth + 1);
  const type = Array.isArray(at.type) ? at.type.find((name) => name !== "null") : at.type;
  if (type === "object" || at.properties)
    return Object.fromEntries(Object.entries(at.properties ?? {}).map(([key, value]) => [key, example(api, value, depth + 1)]));
  if (type === "array") return [example(api, at.items, depth + 1)];
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return true;
  return at.format === "date-time" ? "2026-11-22T10:00:00Z" : at.format === "email" ? "ann@example.com" : "text";
};

const block = (title, api, content) => {
  const schema = content?.["application/json"]?.schema;
  return schema ? [make("h4", {}, title), make("pre", {}, JSON.stringify(example(api, schema), null, 2))] : [];
};

const parameters = (list) =>
  list?.length
    ? [make("h4", {}, "Parameters"), make("table", {}, ...list.map((one) =>
        make("tr", {}, make("td", {}, make("code", {}, one.name)), make("td", {}, one.in), make("td", {}, one.description ?? one.schema?.description ?? ""))))]
    : [];

const route = (api, method, path, operation) =>
  make("details", { "data-text": `${method} ${path} ${operation.summary ?? ""}`.toLowerCase() },
    make("summary", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), make("code", {}, path), make("span", {}, operation.summary ?? "")),
    make("div", { class: "inside" },
      make("p", {}, operation.description ?? ""),
      ...parameters(operation.parameters),
      ...block("Send", api, operation.requestBody?.content),
      ...Object.entries(operation.responses ?? {}).flatMap(([status, answer]) => block(`Answer ${status}`, api, resolve(api, answer)?.content))));

const show = (api) => {
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, operation] of Object.entries(methods))
      if (operation.responses || operation.summary) {
        const tag = operation.tags?.[0] ?? "other";
        groups.set(tag, [...(groups.get(tag) ?? []), route(api, method, path, operation)]);
      }
  const main = document.getElementById("routes");
  main.replaceChildren(make("p", {}, api.info.description ?? ""), ...[...groups].map(([tag, list]) => make("section", {}, make("h2", {}, tag), ...list)));
  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const one of main.querySelectorAll("details")) one.hidden = !one.dataset.text.includes(wanted);
    for (const section of main.querySelectorAll("section")) section.hidden = !section.querySelector("details:not([hidden])");
  });
};

fetch("/api/openapi.json").then((answer) => answer.json()).then(show)
  .catch(() => document.getElementById("routes").replaceChildren(make("p", {}, "The document could not be read.")));

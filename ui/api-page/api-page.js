// @ts-check
/** The API's description, and a way to try what only looks. */
import { schemaText } from "./schema-text.js";

const BASE = "/streamer/api/v3";
/** Characters of a reply that are shown. */
const MAX_SHOWN = 100_000;

/** @typedef {import("./schema-text.js").Schema} Schema */
/** @typedef {{ name: string, in: string, required: boolean, description?: string, schema: Schema }} Parameter */
/**
 * @typedef {{
 *   operationId: string, summary: string, tags: string[], parameters: Parameter[], "x-scope": string[],
 *   requestBody?: { content: Record<string, { schema: Schema }> },
 *   responses: Record<string, { description: string, content?: Record<string, { schema: Schema }> }>,
 * }} Operation
 */

/** @type {string | null} */
let authorization = null;

/**
 * @param {string} id
 * @returns {any} of the page, which has it
 */
function part(id) {
  return document.getElementById(id);
}

/**
 * An element with text or others in it.
 *
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} inside
 */
function element(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

/** @param {string} path */
function ask(path) {
  /** @type {Record<string, string>} */
  const headers = authorization === null ? {} : { authorization };
  return fetch(BASE + path, { headers, cache: "no-store" });
}

/**
 * @param {string} path
 * @param {string} method
 * @param {Operation} operation
 * @param {Schema} root
 */
function operationPart(path, method, operation, root) {
  const word = method.toUpperCase();
  const inside = element("div", { class: "inside" });
  inside.append(element("p", { class: "quiet" }, `Scope: ${operation["x-scope"].join(" or ")}`));
  /** @type {Map<Parameter, HTMLInputElement>} */
  const inputs = new Map();
  if (operation.parameters.length > 0) inside.append(parametersPart(operation, word, inputs));
  const body = operation.requestBody?.content["application/json"]?.schema;
  if (body !== undefined)
    inside.append(element("h3", {}, "Body"), element("pre", {}, schemaText(body, root)));
  for (const [status, { description, content = {} }] of Object.entries(operation.responses)) {
    if (!status.startsWith("2")) continue;
    inside.append(element("h3", {}, `${status}: ${description}`));
    const [schema] = Object.values(content);
    if (schema !== undefined) inside.append(element("pre", {}, schemaText(schema.schema, root)));
  }
  const others = Object.keys(operation.responses).filter((status) => !status.startsWith("2"));
  inside.append(element("p", { class: "quiet" }, `Errors: ${others.join(", ")}`));
  if (word === "GET" && !path.endsWith("/reload")) inside.append(tryPart(path, inputs));
  return element(
    "details",
    { "data-text": `${word} ${path} ${operation.summary}`.toLowerCase() },
    element(
      "summary",
      {},
      element("span", { class: "method", "data-method": word }, word),
      element("span", { class: "path" }, path),
      element("span", { class: "quiet" }, operation.summary),
    ),
    inside,
  );
}

/**
 * @param {Operation} operation
 * @param {string} word
 * @param {Map<Parameter, HTMLInputElement>} inputs
 */
function parametersPart(operation, word, inputs) {
  const table = element("table", {});
  for (const parameter of operation.parameters) {
    const row = element("tr", {});
    row.append(
      element("td", { class: "path" }, parameter.name + (parameter.required ? " *" : "")),
      element("td", { class: "quiet" }, parameter.description ?? schemaText(parameter.schema, {})),
    );
    if (word === "GET") {
      const hint = parameter.name === "filter" ? "stats.status=running&name_like=a" : "";
      const input = element("input", { "aria-label": parameter.name, placeholder: hint });
      inputs.set(parameter, /** @type {HTMLInputElement} */ (input));
      row.append(element("td", {}, input));
    }
    table.append(row);
  }
  return table;
}

/**
 * @param {string} path
 * @param {Map<Parameter, HTMLInputElement>} inputs
 */
function tryPart(path, inputs) {
  const button = element("button", { type: "button" }, "Try it");
  const reply = element("pre", { hidden: "" });
  button.addEventListener("click", () => void show());
  const show = async () => {
    let address = path;
    const query = new URLSearchParams();
    for (const [parameter, { value }] of inputs) {
      if (parameter.in === "path") {
        const text = value.split("/").map(encodeURIComponent).join("/");
        address = address.replace(`{${parameter.name}}`, text);
      } else if (parameter.name === "filter") {
        for (const [key, one] of new URLSearchParams(value)) query.append(key, one);
      } else if (value !== "") query.append(parameter.name, value);
    }
    const search = query.size === 0 ? "" : `?${query}`;
    reply.hidden = false;
    try {
      const response = await ask(address + search);
      const text = await response.text();
      const shown = text.startsWith("{") ? JSON.stringify(JSON.parse(text), null, 2) : text;
      reply.textContent = `GET ${BASE}${address}${search}\n${response.status}\n\n${shown.slice(0, MAX_SHOWN)}`;
    } catch {
      reply.textContent = "The server does not answer.";
    }
  };
  return element("div", {}, button, reply);
}

async function load() {
  const trouble = part("trouble");
  trouble.textContent = "";
  try {
    const response = await ask("/openapi.json");
    if (!response.ok) {
      const isRefused = response.status === 401 || response.status === 403;
      trouble.textContent = isRefused
        ? "The login and password of edit_auth or view_auth are asked for."
        : `The server answers with HTTP ${response.status}.`;
      return;
    }
    showAll(await response.json());
  } catch {
    trouble.textContent = "The server does not answer.";
  }
}

/** @param {any} description */
function showAll(description) {
  part("version").textContent = description.info.version;
  part("search-label").hidden = false;
  /** @type {Map<string, Node[]>} */
  const byTag = new Map();
  for (const [path, methods] of Object.entries(description.paths))
    for (const [method, operation] of Object.entries(/** @type {Record<string, Operation>} */ (methods))) {
      const tag = operation.tags[0] ?? "";
      byTag.set(tag, [...(byTag.get(tag) ?? []), operationPart(path, method, operation, description)]);
    }
  const sections = [...byTag].map(([tag, parts]) =>
    element("section", {}, element("h2", {}, tag), ...parts),
  );
  part("operations").replaceChildren(...sections);
}

function filter() {
  const wanted = part("search").value.toLowerCase();
  for (const section of part("operations").children) {
    let isSeen = false;
    for (const one of section.querySelectorAll("details")) {
      one.hidden = !one.dataset["text"]?.includes(wanted);
      isSeen ||= !one.hidden;
    }
    section.hidden = !isSeen;
  }
}

part("search").addEventListener("input", filter);
part("credentials").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const text = `${part("login").value}:${part("password").value}`;
  const bytes = new TextEncoder().encode(text);
  authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  void load();
});

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
  // With credentials of its own the browser would ask for others in a box over the page, and keep them.
  return fetch(BASE + path, { headers, cache: "no-store", credentials: "omit" });
}

/**
 * Words with others between backticks as code.
 *
 * @param {string} text
 */
function words(text) {
  const parts = text.split("`");
  return parts.map((one, i) => (i % 2 === 1 ? element("code", {}, one) : one));
}

/**
 * A shape that may be longer than its box; keys scroll it.
 *
 * @param {string} label
 * @param {Schema} schema
 * @param {Schema} root
 */
function shape(label, schema, root) {
  return element("pre", { tabindex: "0", role: "region", "aria-label": label }, schemaText(schema, root));
}

/**
 * @param {string} path
 * @param {string} method
 * @param {Operation} operation
 * @param {Schema} root
 */
function operationPart(path, method, operation, root) {
  const word = method.toUpperCase();
  const { operationId: id, summary, tags, parameters, requestBody, responses } = operation;
  const inside = element("div", { class: "inside" });
  inside.append(element("p", { class: "quiet" }, `Scope: ${operation["x-scope"].join(" or ")}`));
  /** @type {Map<Parameter, HTMLInputElement>} */
  const inputs = new Map();
  inside.append(...parameters.map((one) => parameterPart(one, word, inputs)));
  const body = requestBody?.content["application/json"]?.schema;
  if (body !== undefined) inside.append(element("h3", {}, "Body"), shape("Body", body, root));
  for (const [status, { description, content = {} }] of Object.entries(responses)) {
    if (!status.startsWith("2")) continue;
    inside.append(element("h3", {}, `${status}: ${description}`));
    for (const [type, { schema }] of Object.entries(content).slice(0, 1))
      inside.append(
        type === "application/json" ? shape(description, schema, root) : element("code", {}, type),
      );
  }
  const others = Object.keys(responses).filter((status) => !status.startsWith("2"));
  inside.append(element("p", { class: "quiet" }, `Errors: ${others.join(", ")}`));
  // Events have no end, and reading anew is more than a look.
  const isLook = word === "GET" && !path.endsWith("/reload") && path !== "/events";
  if (isLook) inside.append(tryPart(path, inputs));
  const names = [...inside.querySelectorAll("pre, .path")].map(({ textContent }) => textContent);
  return element(
    "details",
    {
      class: "operation",
      id,
      "data-head": [word, path, summary, id, ...tags].join(" ").toLowerCase(),
      "data-text": names.join(" ").toLowerCase(),
    },
    element(
      "summary",
      {},
      element("span", { class: "method", "data-method": word }, word),
      element("span", { class: "path" }, path),
      element("span", { class: "quiet" }, summary),
    ),
    inside,
  );
}

/**
 * @param {Parameter} parameter
 * @param {string} word
 * @param {Map<Parameter, HTMLInputElement>} inputs
 */
function parameterPart(parameter, word, inputs) {
  const { name, required, description, schema } = parameter;
  const told = description === undefined ? [schemaText(schema, {})] : words(description);
  const row = element(
    "div",
    { class: "parameter" },
    element("span", { class: "path" }, name + (required ? " *" : "")),
    element("span", { class: "quiet" }, ...told),
  );
  if (word !== "GET") return row;
  const hint = name === "filter" ? "stats.status=running&name_like=a" : "";
  const input = element("input", { "aria-label": name, placeholder: hint, spellcheck: "false" });
  inputs.set(parameter, /** @type {HTMLInputElement} */ (input));
  row.append(input);
  return row;
}

/**
 * @param {string} path
 * @param {Map<Parameter, HTMLInputElement>} inputs
 */
function tryPart(path, inputs) {
  const button = element("button", { type: "button" }, "Try it");
  const reply = element("pre", { hidden: "", tabindex: "0", role: "region", "aria-label": "The reply" });
  button.addEventListener("click", () => void show());
  for (const input of inputs.values())
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") void show();
    });
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
  return element("div", { class: "try" }, button, reply);
}

async function load() {
  const trouble = part("trouble");
  trouble.textContent = "";
  try {
    const response = await ask("/openapi.json");
    if (!response.ok) {
      const isRefused = response.status === 401 || response.status === 403;
      trouble.textContent = isRefused
        ? "That login and password are none of edit_auth or view_auth."
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
  /** @type {Map<string, Node[]>} */
  const byTag = new Map();
  for (const [path, methods] of Object.entries(description.paths))
    for (const [method, operation] of Object.entries(/** @type {Record<string, Operation>} */ (methods))) {
      const tag = operation.tags[0] ?? "";
      byTag.set(tag, [...(byTag.get(tag) ?? []), operationPart(path, method, operation, description)]);
    }
  const all = [...byTag].map(([tag, parts]) =>
    element("section", { id: `area-${tag}` }, element("h2", {}, tag.replaceAll("_", " ")), ...parts),
  );
  part("operations").replaceChildren(...all);
  const links = [...byTag].map(([tag, parts]) =>
    element(
      "li",
      {},
      element(
        "a",
        { href: `#area-${tag}` },
        tag.replaceAll("_", " "),
        element("span", {}, String(parts.length)),
      ),
    ),
  );
  part("areas").replaceChildren(...links);
  part("finder").hidden = false;
  part("credentials").hidden = true;
  part("who").hidden = false;
  part("who-name").textContent = part("login").value || "Signed in";
  part("search").focus();
  find();
  openNamed();
}

/** Leaves those that have every word: in what they are, else in their fields, with those open that have it in these alone. */
function find() {
  const wanted = part("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let [found, all] = [0, 0];
  for (const [i, section] of [...part("operations").children].entries()) {
    let here = 0;
    for (const one of section.querySelectorAll(".operation")) {
      const { head = "", text = "" } = one.dataset;
      one.hidden = !wanted.every(
        (/** @type {string} */ word) => head.includes(word) || text.includes(word),
      );
      all++;
      if (!one.hidden) here++;
    }
    section.hidden = here === 0;
    const link = part("areas").children[i];
    link.hidden = here === 0;
    link.querySelector("span").textContent = String(here);
    found += here;
  }
  part("found").textContent =
    wanted.length === 0
      ? `${all} operations`
      : found === 0
        ? "Nothing has all of these words."
        : `${found} of ${all}`;
}

/** The operation that the address names. */
function openNamed() {
  const named = location.hash === "" ? null : document.getElementById(location.hash.slice(1));
  if (!(named instanceof HTMLDetailsElement)) return;
  named.open = true;
  named.scrollIntoView();
}

part("search").addEventListener("input", find);
part("search").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (event.key === "Escape") {
    part("search").value = "";
    find();
  }
  if (event.key !== "Enter") return;
  // What has the focus by then would take the key for its own.
  event.preventDefault();
  const first = document.querySelector("section:not([hidden]) .operation:not([hidden])");
  if (!(first instanceof HTMLDetailsElement)) return;
  first.open = true;
  first.querySelector("summary")?.focus();
});
document.addEventListener("keydown", (event) => {
  const isText = event.target instanceof HTMLInputElement;
  if (event.key !== "/" || isText || event.ctrlKey || event.metaKey || part("finder").hidden) return;
  event.preventDefault();
  part("search").focus();
});
addEventListener("hashchange", openNamed);
part("change").addEventListener("click", () => {
  part("credentials").hidden = false;
  part("who").hidden = true;
  part("login").focus();
});
part("credentials").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const text = `${part("login").value}:${part("password").value}`;
  const bytes = new TextEncoder().encode(text);
  authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  void load();
});

/* Renders /openapi.json. Everything is set as text: nothing of the document is taken for markup. */
"use strict";

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function typeOf(schema) {
  if (!schema) return "";
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return `list of ${typeOf(schema.items) || "values"}`;
  return schema.format ? `${schema.type} (${schema.format})` : schema.type || "any";
}

function objectOf(schema) {
  if (schema?.anyOf) return schema.anyOf.map(objectOf).find(Boolean);
  if (schema?.type === "array") return objectOf(schema.items);
  return schema?.properties ? schema : undefined;
}

function members(schema, depth = 0) {
  const rows = [];
  const required = new Set(schema.required ?? []);
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const label = make("td", "", make("code", "", " ".repeat(depth * 2) + name));
    rows.push(make("tr", "", label, make("td", "dim", typeOf(member) + (required.has(name) ? "" : ", may be left out")), make("td", "", member.description ?? "")));
    const inner = objectOf(member);
    if (inner && depth < 3) rows.push(...members(inner, depth + 1));
  }
  return rows;
}

function section(title, rows) {
  return rows.length ? [make("h4", "", title), make("table", "", make("tbody", "", ...rows))] : [];
}

function details(operation) {
  const body = make("div", "body");
  body.append(make("p", "dim", `Needs: ${operation["x-permission"]}.`));
  const parameters = operation.parameters.map((parameter) =>
    make("tr", "", make("td", "", make("code", "", parameter.name)), make("td", "dim", `${parameter.in}, ${typeOf(parameter.schema)}${parameter.required ? "" : ", may be left out"}`), make("td", "", parameter.description ?? "")));
  body.append(...section("Parameters", parameters));
  for (const [type, content] of Object.entries(operation.requestBody?.content ?? {})) {
    body.append(...section(`Body: ${type}`, members(objectOf(content.schema) ?? {})));
  }
  for (const [status, response] of Object.entries(operation.responses)) {
    if (status === "default") continue;
    const content = Object.entries(response.content ?? {})[0];
    const rows = content ? members(objectOf(content[1].schema) ?? {}) : [];
    body.append(...(rows.length ? section(`Answer ${status}: ${content[0]}`, rows) : [make("p", "", `Answer ${status}${content ? `: ${content[0]}` : ""}`)]));
  }
  return body;
}

function operation(verb, path, described) {
  const summary = make("summary", "", make("span", `verb ${verb}`, verb), make("code", "", path), make("span", "doc", described.summary));
  const node = make("details", "", summary);
  node.dataset.text = `${verb} ${path} ${described.summary}`.toLowerCase();
  node.addEventListener("toggle", () => { if (node.open && node.children.length === 1) node.append(details(described)); });
  return node;
}

function codes() {
  const codes = location.hash.slice(1);
  return codes ? ` The link names the problem code ${codes}; docs/http-api.md explains it.` : "";
}

async function show() {
  const spec = await (await fetch("/openapi.json")).json();
  document.querySelector("#about").textContent = `${spec.info.summary} ${spec.info.description}${codes()}`;
  const groups = new Map();
  for (const [path, verbs] of Object.entries(spec.paths)) {
    for (const [verb, described] of Object.entries(verbs)) {
      const group = described.tags[0];
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(operation(verb, path, described));
    }
  }
  for (const [group, operations] of groups) {
    const heading = make("h2", "", group);
    heading.id = `group-${group}`;
    const link = make("a", "", group);
    link.href = `#group-${group}`;
    document.querySelector("#groups").append(link);
    document.querySelector("#operations").append(make("section", "", heading, ...operations));
  }
}

document.querySelector("#find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll("section")) {
    let seen = 0;
    for (const node of section.querySelectorAll("details")) {
      node.hidden = !words.every((word) => node.dataset.text.includes(word));
      seen += node.hidden ? 0 : 1;
    }
    section.hidden = seen === 0;
  }
});

show().catch((error) => { document.querySelector("#about").textContent = `The document cannot be shown: ${error.message}`; });

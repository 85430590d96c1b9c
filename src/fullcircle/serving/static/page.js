"use strict";

const form = document.getElementById("form");
const answer = document.getElementById("answer");
const health = document.getElementById("health");
const SHOWN = 12;

function element(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function rowOfForm() {
  const row = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    row[field.name] = field.value === "" ? null : field.value;
  }
  // A group that is left empty is not sent: the service computes it, or does not need it.
  for (const group of [...form.querySelectorAll("fieldset")].slice(1)) {
    const names = [...group.querySelectorAll("[name]")].map((field) => field.name);
    if (names.every((name) => row[name] === null)) names.forEach((name) => delete row[name]);
  }
  return row;
}

function bars(title, entries, largest) {
  const table = element("table"), head = element("tr");
  for (const text of title) {
    const cell = element("th", text);
    cell.scope = "col";
    head.append(cell);
  }
  table.append(head);
  for (const [name, value, shown] of entries) {
    const line = element("tr"), bar = element("td", undefined, "bar");
    const fill = element("div", undefined, value < 0 ? "fill down" : "fill");
    fill.style.width = `${Math.max(1, 100 * Math.abs(value) / largest)}%`;
    bar.append(fill);
    line.append(element("td", name), element("td", shown, "number"), bar);
    table.append(line);
  }
  return table;
}

function show(found) {
  const prediction = found.predictions[0], parts = [];
  const result = element("p", "Prediction: ", "result");
  result.append(element("strong", typeof prediction.prediction === "number" ? String(Number(prediction.prediction.toPrecision(6))) : prediction.prediction));
  parts.push(result);
  if ("lower" in prediction) {
    parts.push(element("p", `Interval: ${prediction.lower.toPrecision(6)} to ${prediction.upper.toPrecision(6)}`));
  }
  if (found.decision) {
    parts.push(element("p", `${found.decision.positive} is predicted from a probability of ${found.decision.threshold}`));
  }
  const classes = Object.entries(prediction).filter(([name]) => name.startsWith("probability_"));
  if (classes.length) {
    const entries = classes.map(([name, value]) => [name.slice("probability_".length), value, `${(100 * value).toFixed(1)}%`]);
    parts.push(bars(["class", "probability", ""], entries, 1));
  }
  if (found.stale) parts.push(element("p", `The events are old: ${Object.keys(found.stale).join(", ")}`, "error"));
  if (prediction.contributions) {
    const drove = Object.entries(prediction.contributions.inputs).filter(([, value]) => value !== 0).slice(0, SHOWN);
    const largest = Math.max(...drove.map(([, value]) => Math.abs(value)));
    const entries = drove.map(([name, value]) => [name, value, (value > 0 ? "+" : "") + value.toPrecision(3)]);
    parts.push(element("h3", "What drove it"));
    parts.push(element("p", `Compared with a typical row, in ${found.contributions_in}.`));
    parts.push(bars(["input", "adds", ""], entries, largest));
  }
  answer.replaceChildren(...parts);
}

function fail(found) {
  const reasons = found.set_aside && found.set_aside.length ? found.set_aside[0].reasons : found.error || "no answer";
  const list = element("ul", undefined, "error");
  for (const reason of reasons.split(/; |\n/)) list.append(element("li", reason));
  for (const field of form.elements) {
    if (field.name && reasons.split(/; |\n/).some((reason) => reason.startsWith(`${field.name} `))) {
      field.setAttribute("aria-invalid", "true");
    }
  }
  answer.replaceChildren(element("p", "This row cannot be scored:", "error"), list);
  const first = form.querySelector("[aria-invalid]");
  if (first) first.focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  for (const field of form.elements) field.removeAttribute("aria-invalid");
  try {
    const response = await fetch("/predict?explain=true", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ rows: [rowOfForm()] }),
    });
    const found = await response.json();
    if (response.ok) show(found);
    else fail(found);
  } catch (error) {
    fail({ error: "the service does not answer" });
  }
});

fetch("/health/ready").then(
  (response) => { health.textContent = response.ok ? "ready" : "not ready"; health.className = response.ok ? "fine" : "error"; },
  () => { health.textContent = "not reachable"; health.className = "error"; },
);

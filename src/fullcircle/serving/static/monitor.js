"use strict";

// Text of the data becomes text of the page only by `append`: it is never read as HTML.
const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "g", "path", "rect", "line", "circle", "text"]);
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SIGNS = { ok: "✓", warn: "!", retrain: "✕" };
const FIRST = 12; // columns of the heat map that are shown at once
const WORST = 8; // slices
const RECENT = 5; // alerts that are over
const DAY = 864e5;

function make(tag, attributes = {}, ...children) {
  const made = DRAWN.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const number = (value) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size >= 1000 ? Math.round(value).toLocaleString("en") : size >= 100 ? value.toFixed(0) : size >= 0.01 || !size ? String(Number(value.toPrecision(3))) : value.toPrecision(2);
};
const fixed = (value) => (value === null || value === undefined ? "–" : Math.abs(value) < 10 ? value.toFixed(3) : number(value));
const share = (value) => (value === null || value === undefined ? "–" : value === 0 ? "0%" : value < 0.0001 ? "under 0.01%" : value < 0.0995 ? `${Number((100 * value).toPrecision(2))}%` : `${Math.round(100 * value)}%`);
const count = (value) => value.toLocaleString("en");
const times = (percent) => (percent >= 9999 ? "over 99" : (percent / 100).toFixed(percent < 1000 ? 1 : 0));
const many = (amount, word) => `${count(amount)} ${word}${amount === 1 ? "" : "s"}`;
const total = (values) => Object.values(values).reduce((sum, value) => sum + value, 0);
const interval = ([value, low, high]) => (value === null ? "–" : low === null || high === null ? fixed(value) : `${fixed(value)} (${fixed(low)} to ${fixed(high)})`);
const dated = (label, year) => {
  const [y, month, day] = label.split("-").map(Number);
  return `${day} ${MONTHS[month - 1]}${year ? ` ${y}` : ""}`;
};

/* The windows in slots of time: one slot for each day or week, those without a request too. */
function slotted(found) {
  const labels = [...new Set(found.windows.map((window) => window.label))];
  const days = labels.map((label) => Date.parse(label) / DAY);
  const step = days.length > 1 && days.every((day) => (day - days[0]) % 7 === 0) ? 7 : 1;
  const length = (days[days.length - 1] - days[0]) / step + 1;
  const names = length > 1500 ? labels : Array.from({ length }, (_, at) => new Date((days[0] + at * step) * DAY).toISOString().slice(0, 10));
  const place = new Map(names.map((label, at) => [label, at]));
  const inSlot = names.map(() => []);
  found.windows.forEach((window, at) => {
    window.at = at;
    window.slot = place.get(window.label);
    window.version = found.bundles[window.bundle].version;
    inSlot[window.slot].push(window);
  });
  const began = new Map();
  for (const window of found.windows) if (!began.has(window.bundle)) began.set(window.bundle, window.slot);
  return { names, inSlot, began: [...began].slice(1).map(([bundle, slot]) => ({ slot, name: found.bundles[bundle].version })) };
}

function ticks(low, high, wanted = 4) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) found.push(Number((at * step).toPrecision(12)));
  return found;
}

/* A chart over slots. `paint(svg, x, y, width of a slot)` draws it, `read(slot)` says in words what a slot holds. It is
   a slider for the keyboard and for screen readers: its value is the slot, and its text the words. */
function chart(time, { name, low, high, height = 210, left = 52, paint, read, legend = [] }) {
  const last = time.names.length - 1;
  const reading = make("p", { class: "reading" });
  const area = make("div", { class: "area", role: "slider", tabindex: 0, "aria-label": name, "aria-valuemin": 0, "aria-valuemax": last });
  let slot = last, width = 0, cursor = null, x = null;
  while (slot > 0 && !time.inSlot[slot].length) slot--;
  const tall = () => (typeof height === "function" ? height() : height);

  function choose(wanted, row) {
    slot = Math.max(0, Math.min(last, wanted));
    const words = read(slot, row);
    reading.textContent = `${time.names[slot]}: ${words}`;
    area.setAttribute("aria-valuenow", slot);
    area.setAttribute("aria-valuetext", reading.textContent);
    if (cursor) for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(slot));
  }
  function draw() {
    width = area.clientWidth;
    if (!width) return;
    const top = time.began.length ? 22 : 10, bottom = 22, right = 10, box = tall();
    const margin = typeof left === "function" ? left(width) : left;
    const wide = (width - margin - right) / (last + 1);
    x = (at) => margin + (at + 0.5) * wide;
    const y = (value) => top + ((high - value) / (high - low || 1)) * (box - top - bottom);
    const svg = make("svg", { viewBox: `0 0 ${width} ${box}`, height: box, "aria-hidden": "true" });
    if (low !== undefined) {
      const values = ticks(low, high);
      const digits = Math.max(...values.map((value) => (String(value).split(".")[1] || "").length));
      for (const value of values) {
        svg.append(make("line", { class: "grid", x1: margin, x2: width - right, y1: y(value), y2: y(value) }));
        svg.append(make("text", { class: "end faint", x: margin - 6, y: y(value) + 4 }, digits ? value.toFixed(digits) : count(value)));
      }
    }
    const every = Math.max(1, Math.ceil(64 / wide));
    let shown = -Infinity;
    for (let at = 0; at <= last; at += every) {
      const text = dated(time.names[at], at === 0), half = text.length * 3.2;
      const middle = Math.max(margin + half - wide / 2, x(at));
      if (middle - half < shown + 8 || middle + half > width - 4) continue;
      shown = middle + half;
      svg.append(make("text", { class: "middle faint", x: middle, y: box - 5 }, text));
    }
    for (const { slot: at, name: version } of time.began) {
      const edge = x(at) - wide / 2;
      svg.append(make("line", { class: "version", x1: edge, x2: edge, y1: 14, y2: box - bottom }));
      svg.append(make("text", { class: edge > width - 60 ? "end faint" : "faint", x: edge + (edge > width - 60 ? -3 : 3), y: 14 }, `v${version}`));
    }
    paint(svg, x, y, wide, { left: margin, right: width - right, top, bottom: box - bottom });
    cursor = make("line", { class: "cursor", x1: x(slot), x2: x(slot), y1: top, y2: box - bottom });
    svg.append(cursor);
    area.replaceChildren(svg);
  }
  area.addEventListener("keydown", (event) => {
    const far = Math.max(1, Math.round(last / 10));
    const to = { ArrowLeft: slot - 1, ArrowDown: slot - 1, ArrowRight: slot + 1, ArrowUp: slot + 1, PageDown: slot - far, PageUp: slot + far, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  });
  area.addEventListener("pointermove", (event) => {
    const box = area.getBoundingClientRect();
    choose(Math.round((event.clientX - box.left - x(0)) / (x(1) - x(0))), event.clientY - box.top);
  });
  choose(slot);
  new ResizeObserver(() => { if (area.clientWidth !== width) draw(); }).observe(area);
  const items = legend.map(([kinds, text]) => make("li", {}, swatch(kinds), text));
  const figure = make("figure", { class: "plot" }, items.length ? make("ul", { class: "legend" }, items) : null, area, reading);
  figure.redraw = draw;
  return figure;
}

function swatch(kind) {
  const svg = make("svg", { viewBox: "0 0 32 16", "aria-hidden": "true" });
  for (const one of kind.split("+")) {
    if (one.startsWith("dot")) svg.append(make("circle", { class: one, cx: 16, cy: 8, r: 3.5 }));
    else if (one === "diamond") svg.append(make("path", { class: one, d: diamond(16, 8, 5) }));
    else if (one.startsWith("heat")) svg.append(make("rect", { class: one, x: 8, width: 16, y: 16 - 4 * Number(one[4]), height: 4 * Number(one[4]) }));
    else if (["bar", "aside", "alarmed"].includes(one)) svg.append(make("rect", { class: one, x: 8, width: 16, y: 2, height: 12 }));
    else svg.append(make("path", { class: one, d: "M1 8H31" }));
  }
  return svg;
}

const diamond = (x, y, size) => `M${x - size} ${y}L${x} ${y - size}L${x + size} ${y}L${x} ${y + size}Z`;

/* A line through the points [slot, value], which breaks where a slot has none. */
function line(points, x, y) {
  let path = "", before = -2;
  for (const [slot, value] of points) {
    path += `${slot > before + 1 ? "M" : "L"}${x(slot).toFixed(1)} ${y(value).toFixed(1)}`;
    before = slot;
  }
  return path;
}

/* Dots on a line; where there are many windows only those that no line reaches. */
function dots(svg, points, x, y, wide, kind) {
  const slots = new Set(points.map(([slot]) => slot));
  for (const [slot, value] of points) {
    if (wide > 6 || !(slots.has(slot - 1) || slots.has(slot + 1))) svg.append(make("circle", { class: kind, cx: x(slot), cy: y(value), r: wide > 9 ? 3 : 2 }));
  }
}

/* The area between low and high of points [slot, [value, low, high]], one shape per run of slots. */
function band(points, x, y) {
  const runs = [];
  for (const [slot, [, low, high]] of points) {
    if (low === null || high === null) continue;
    const run = runs[runs.length - 1];
    if (run && slot <= run[run.length - 1][0] + 1) run.push([slot, low, high]);
    else runs.push([[slot, low, high]]);
  }
  const at = ([slot, value]) => `${x(slot).toFixed(1)} ${y(value).toFixed(1)}`;
  return runs.map((run) => `M${run.map(([slot, low]) => at([slot, low])).join("L")}L${run.reverse().map(([slot, , high]) => at([slot, high])).join("L")}Z`).join("");
}

const known = (windows, of) => windows.map((window) => [window.slot, of(window)]).filter(([, value]) => value !== null && value !== undefined);

function range(values, zero) {
  const all = values.filter((value) => Number.isFinite(value));
  let low = Math.min(...all), high = Math.max(...all);
  const more = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
  return zero ? [0, high + more || 1] : [low - more, high + more];
}

function table(caption, heads, rows) {
  const kinds = heads.map((head) => (head.startsWith("#") ? "number" : head.startsWith("=") ? "text" : head.startsWith("@") ? "name" : null));
  const cells = (row) => row.map((cell, at) => make("td", { class: kinds[at] }, cell instanceof Node ? cell : String(cell ?? "–")));
  return make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": caption },
    make("table", {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, heads.map((head, at) => make("th", { scope: "col", class: kinds[at] === "number" ? "number" : null }, head.replace(/^[#=@]/, ""))))),
      make("tbody", {}, rows.map((row) => make("tr", {}, cells(row))))));
}

/* A table that is made when it is opened. */
function folded(title, made) {
  const details = make("details", {}, make("summary", {}, title));
  details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(made()); });
  return details;
}

function section(id, title, ...content) {
  return make("section", { "aria-labelledby": id }, make("h2", { id }, title), ...content);
}

const words = (slot, time, of) => (time.inSlot[slot].length ? time.inSlot[slot].map((window) => (time.inSlot[slot].length > 1 ? `v${window.version}: ` : "") + of(window)).join("; ") : "no request");

function status(found) {
  const on = found.alerts.filter((alert) => alert.cleared === null).reverse();
  const over = found.alerts.filter((alert) => alert.cleared !== null).reverse();
  const rank = ["retrain", "warn"];
  on.sort((a, b) => rank.indexOf(a.level) - rank.indexOf(b.level));
  const said = { ok: "nothing to do", warn: "look at it", retrain: "train a new model" }[found.status];
  const versions = new Map(found.bundles.map((bundle) => [bundle.id, bundle.version]));
  const cards = on.map((alert) => make("article", { class: `alert ${alert.level}` },
    make("span", { class: "sign", "aria-hidden": "true" }, SIGNS[alert.level]),
    make("div", {}, make("h3", {}, `${alert.kind.replace("_", " ")} (${alert.level}), since ${alert.since}`),
      make("p", {}, alert.reason), make("p", {}, make("strong", {}, "To do: "), alert.action))));
  const history = (some) => table("Alerts that are over, the latest first", ["@alert", "level", "since", "raised after", "cleared after", "version", "=reason"],
    some.map((alert) => [alert.kind.replace("_", " "), alert.level, alert.since, alert.raised, alert.cleared, versions.get(alert.bundle), alert.reason]));
  return section("status", "Status and alerts",
    make("p", { class: `status ${found.status}` }, make("span", { class: "sign", "aria-hidden": "true" }, SIGNS[found.status]),
      make("span", {}, make("strong", {}, found.status), `: ${said}`, on.length ? ` (${many(on.length, "alert")})` : "")),
    cards, make("h3", {}, "History"), over.length ? history(over.slice(0, RECENT)) : make("p", {}, "No alert was cleared so far."),
    over.length > RECENT ? folded(`${over.length - RECENT} earlier alerts`, () => history(over.slice(RECENT))) : null);
}

function tiles(found) {
  const last = found.windows[found.windows.length - 1];
  const bundle = found.bundles[last.bundle];
  const scored = [...found.windows].reverse().find((window) => window.complete && window.accuracy && bundle.metric && window.accuracy.metrics[bundle.metric]);
  const drifted = found.drift.percent[found.windows.length - 1].filter((value) => value > 100).length;
  const facts = [
    ["last window", dated(last.label, true), `version ${last.version}`],
    ["predictions", count(last.scored), total(last.set_aside) ? `${count(total(last.set_aside))} rows set aside` : "no row set aside"],
    ["response time, p99", `${number(last.ms[2])} ms`, `median ${number(last.ms[0])} ms`],
    ["columns that drifted", String(drifted), `of ${found.drift.columns.length}`],
  ];
  if (scored) facts.splice(1, 0, [bundle.metric, fixed(scored.accuracy.metrics[bundle.metric][0]), `${dated(scored.label)}, the last with all outcomes`]);
  return make("dl", { class: "tiles" }, facts.map(([name, value, more]) => make("div", {}, make("dt", {}, name), make("dd", {}, value, make("small", {}, more)))));
}

function accuracy(found, time) {
  const bundle = found.bundles[found.bundles.length - 1];
  const names = [...new Set(found.windows.flatMap((window) => (window.accuracy ? Object.keys(window.accuracy.metrics) : [])))];
  const primary = bundle.metric || names[0];
  const estimated = found.windows.filter((window) => window.estimate);
  if (!names.length && !estimated.length) {
    return section("accuracy", "Accuracy", make("p", { class: "empty" },
      "No outcomes yet, so the accuracy is not known. Send them to ", make("code", {}, "POST /outcomes"), ", or add a file with ", make("code", {}, "fullcircle outcomes FILE"),
      "; the next ", make("code", {}, "fullcircle monitor"), " reports it."));
  }
  const holder = make("div");
  const show = (metric) => holder.replaceChildren(...accuracyOf(found, time, metric, metric === primary));
  const choice = make("select", { id: "metric" }, [primary, ...names.filter((name) => name !== primary)].map((name) => make("option", { value: name }, name)));
  choice.addEventListener("change", () => show(choice.value));
  show(primary);
  const level = Math.round(100 * (bundle.interval || 0.95));
  return section("accuracy", "Accuracy",
    make("p", {}, `${primary} of each window, with its ${level}% interval. ${bundle.lower ? "Lower" : "Higher"} is better. A window counts for alarms once its outcomes are complete.`),
    names.length ? null : make("p", { class: "empty" }, "No outcomes yet: these are estimates from the predictions alone."),
    names.length > 1 ? make("div", { class: "metric" }, make("label", { for: "metric" }, "Metric"), choice) : null, holder);
}

function accuracyOf(found, time, metric, isPrimary) {
  const of = (window) => window.accuracy?.metrics[metric] ?? [null, null, null];
  const guess = (window) => (isPrimary && window.estimate ? [window.estimate.value, window.estimate.low, window.estimate.high] : [null, null, null]);
  const rules = found.bundles.map((bundle, at) => ({ at, ...bundle })).filter((bundle) => isPrimary && Number.isFinite(bundle.usual) && bundle.metric === metric);
  const least = (rule) => rule.usual + (rule.lower ? 1 : -1) * rule.loss;
  const values = found.windows.flatMap((window) => [...of(window), ...guess(window)]).concat(rules.flatMap((rule) => [rule.usual, least(rule)]));
  const shown = values.filter((value) => value !== null);
  if (!shown.length) return [make("p", { class: "empty" }, `${metric} is not available in any window, e.g. because each has one class.`)];
  const [low, high] = range(shown);
  const alarms = isPrimary ? found.alerts.filter((alert) => ["accuracy", "surprise", "estimate"].includes(alert.kind)) : [];
  const slotOf = (label) => time.names.findIndex((name) => name >= label);
  const say = (window) => {
    const parts = [];
    if (of(window)[0] !== null) parts.push(`${metric} ${interval(of(window))} of ${many(window.accuracy.rows, "row")}${window.complete ? "" : ", outcomes not complete yet"}`);
    if (guess(window)[0] !== null) parts.push(`estimated ${interval(guess(window))} by ${window.estimate.method}`);
    return parts.join("; ") || (window.complete ? "no outcomes" : "outcomes are awaited");
  };
  const whisker = (svg, y, at, [, bottom, top], kind) => {
    if (bottom !== null && top !== null) svg.append(make("path", { class: kind, d: `M${at} ${y(bottom)}V${y(top)}M${at - 3} ${y(bottom)}h6M${at - 3} ${y(top)}h6` }));
  };
  const mark = (svg, window, x, y, wide) => {
    const both = guess(window)[0] !== null && of(window)[0] !== null, aside = both ? Math.min(5, wide / 5) : 0;
    if (guess(window)[0] !== null) {
      whisker(svg, y, x(window.slot) + aside, guess(window), "whisker guess");
      svg.append(make("path", { class: "diamond", d: diamond(x(window.slot) + aside, y(guess(window)[0]), wide > 9 ? 4 : 2.5) }));
    }
    if (of(window)[0] !== null) {
      whisker(svg, y, x(window.slot) - aside, of(window), "whisker");
      svg.append(make("circle", { class: window.complete ? "dot" : "dot open", cx: x(window.slot) - aside, cy: y(of(window)[0]), r: wide > 9 ? 3.5 : 2 }));
    }
  };
  const legend = [["whisker+dot", "outcomes complete"]];
  if (found.windows.some((window) => window.accuracy && !window.complete)) legend.push(["whisker+dot open", "more outcomes to come"]);
  if (found.windows.some((window) => guess(window)[0] !== null)) legend.push(["whisker guess+diamond", "estimated from the predictions"]);
  if (rules.length) legend.push(["usual", "usual, on test rows"], ["least", "a loss worth an alarm"]);
  if (alarms.length) legend.push(["alarmed", "an alert on accuracy was on"]);
  const figure = chart(time, {
    name: `${metric} by window`, low, high, height: 260, legend, read: (slot) => words(slot, time, say),
    paint: (svg, x, y, wide, box) => {
      for (const alert of alarms) {
        const from = Math.max(0, slotOf(alert.since)), to = alert.cleared === null ? time.names.length - 1 : slotOf(alert.cleared);
        if (to >= from) svg.append(make("rect", { class: "alarmed", x: x(from) - wide / 2, width: (to - from + 1) * wide, y: box.top, height: box.bottom - box.top }));
      }
      if (wide < 6) {
        const guessed = known(found.windows, (window) => guess(window)[0]), seen = found.windows.filter((window) => of(window)[0] !== null);
        svg.append(make("path", { class: "band", d: band(seen.map((window) => [window.slot, of(window)]), x, y) }), make("path", { class: "line second thin", d: line(guessed, x, y) }));
        for (const window of seen) svg.append(make("circle", { class: window.complete ? "dot" : "dot open", cx: x(window.slot), cy: y(of(window)[0]), r: 1.5 }));
      } else {
        for (const window of found.windows) mark(svg, window, x, y, wide);
      }
      for (const rule of rules) {
        const mine = found.windows.filter((window) => window.bundle === rule.at).map((window) => window.slot);
        const [from, to] = [x(Math.min(...mine)) - wide / 2, x(Math.max(...mine)) + wide / 2];
        svg.append(make("path", { class: "usual", d: `M${from} ${y(rule.usual)}H${to}` }), make("path", { class: "least", d: `M${from} ${y(least(rule))}H${to}` }));
      }
    },
  });
  const rule = rules[rules.length - 1];
  const text = rule ? `Usual ${fixed(rule.usual)}; a loss of ${fixed(rule.loss)} is worth an alarm.` : "What is usual, and which loss is worth an alarm, is not known: the reference has too few windows.";
  return [isPrimary ? make("p", {}, text) : null, figure, folded(`Table of ${metric}`, () => table(`${metric} by window`,
    ["window", "version", "#rows with outcomes", "outcomes", `#${metric}`, "#estimated"],
    found.windows.map((window) => [window.label, window.version, window.accuracy ? count(window.accuracy.rows) : "0", window.complete ? "complete" : "awaited", interval(of(window)), interval(guess(window))])))].filter(Boolean);
}

function calibration(found, time) {
  const expected = known(found.windows, (window) => window.accuracy?.expected), observed = known(found.windows, (window) => window.accuracy?.observed);
  if (!expected.length) return null;
  const [low, high] = range([...expected, ...observed].map(([, value]) => value));
  const say = (window) => (window.accuracy ? `expected ${fixed(window.accuracy.expected)}, observed ${fixed(window.accuracy.observed)}` : "outcomes are awaited");
  return section("calibration", "Calibration",
    make("p", {}, "The mean prediction (of two classes: the mean probability of the positive one) and the mean outcome of the same rows."),
    chart(time, {
      name: "Expected and observed by window", low, high, read: (slot) => words(slot, time, say), legend: [["line second+dot second", "expected"], ["line+dot", "observed"]],
      paint: (svg, x, y, wide) => {
        svg.append(make("path", { class: "line second", d: line(expected, x, y) }), make("path", { class: "line", d: line(observed, x, y) }));
        dots(svg, expected, x, y, wide, "dot second");
        dots(svg, observed, x, y, wide, "dot");
      },
    }),
    folded("Table of calibration", () => table("Expected and observed by window", ["window", "version", "#expected", "#observed"],
      found.windows.filter((window) => window.accuracy).map((window) => [window.label, window.version, fixed(window.accuracy.expected), fixed(window.accuracy.observed)]))));
}

function traffic(found, time) {
  const sums = time.inSlot.map((windows) => windows.reduce((sum, window) => sum + window.scored + total(window.set_aside), 0));
  const reasons = new Map();
  for (const window of found.windows) {
    for (const [reason, rows] of Object.entries(window.set_aside)) {
      const known = reasons.get(reason) || { rows: 0, windows: 0 };
      reasons.set(reason, { rows: known.rows + rows, windows: known.windows + 1, last: window.label });
    }
  }
  const [low, high] = range(sums, true);
  const say = (window) => `${many(window.requests, "request")}, ${many(window.scored, "row")} predicted, ${count(total(window.set_aside))} set aside` +
    (total(window.set_aside) ? ` (${Object.entries(window.set_aside).sort((a, b) => b[1] - a[1]).slice(0, 3).map(([reason, rows]) => `${reason}: ${count(rows)}`).join("; ")})` : "");
  return section("traffic", "Predictions",
    make("p", {}, "Rows of each window that were predicted, and those that were set aside because they cannot be scored."),
    chart(time, {
      name: "Rows by window", low, high, read: (slot) => words(slot, time, say), legend: [["bar", "predicted"], ["aside", "set aside, on top"]],
      paint: (svg, x, y, wide) => {
        const broad = Math.min(48, Math.max(0.8, wide * (wide > 6 ? 0.75 : 0.9)));
        time.inSlot.forEach((windows, slot) => {
          const scored = windows.reduce((sum, window) => sum + window.scored, 0), aside = sums[slot] - scored;
          const at = x(slot) - broad / 2;
          if (scored) svg.append(make("rect", { class: "bar", x: at, width: broad, y: y(scored), height: y(0) - y(scored) }));
          if (aside) svg.append(make("rect", { class: "aside", x: at, width: broad, y: Math.min(y(sums[slot]), y(scored) - 2), height: Math.max(2, y(scored) - y(sums[slot])) }));
          if (!windows.length && wide > 14) svg.append(make("text", { class: "middle faint", x: x(slot), y: y(0) - 5 }, "0"));
        });
      },
    }),
    reasons.size ? table("Why rows were set aside", ["=reason", "#rows", "#windows", "last in"],
      [...reasons].sort((a, b) => b[1].rows - a[1].rows).slice(0, 20).map(([reason, { rows, windows, last }]) => [reason, count(rows), count(windows), last])) : null,
    folded("Table of predictions", () => table("Rows by window", ["window", "version", "#requests", "#predicted", "#set aside"],
      found.windows.map((window) => [window.label, window.version, count(window.requests), count(window.scored), count(total(window.set_aside))]))));
}

function latency(found, time) {
  const series = [["p50", "line", "dot"], ["p95", "line second", "dot second"], ["p99", "line third", "dot third"]].map(([name, kind, dot], at) => ({ name, kind, dot, points: known(found.windows, (window) => window.ms[at]) }));
  const [low, high] = range(series.flatMap(({ points }) => points.map(([, value]) => value)), true);
  const say = (window) => `p50 ${number(window.ms[0])} ms, p95 ${number(window.ms[1])} ms, p99 ${number(window.ms[2])} ms`;
  return section("latency", "Response time",
    make("p", {}, "Milliseconds from a request to its answer: the median, and the percentiles 95 and 99 of each window."),
    chart(time, {
      name: "Response time by window", low, high, read: (slot) => words(slot, time, say), legend: series.map(({ name, kind, dot }) => [`${kind}+${dot}`, name]),
      paint: (svg, x, y, wide) => {
        for (const { points, kind, dot } of series) {
          svg.append(make("path", { class: kind, d: line(points, x, y) }));
          dots(svg, points, x, y, wide, dot);
        }
      },
    }),
    folded("Table of response times", () => table("Milliseconds by window", ["window", "version", "#p50", "#p95", "#p99"],
      found.windows.map((window) => [window.label, window.version, ...window.ms.map(number)]))));
}

function drift(found, time) {
  const { columns, percent, changes } = found.drift;
  const row = 20;
  let rows = Math.min(FIRST, columns.length);
  // Where two versions answered in one window, the one of more rows is shown.
  const main = time.inSlot.map((windows) => windows.reduce((best, window) => (!best || window.scored > best.scored ? window : best), null));
  const heat = (value) => (value < 50 ? 1 : value <= 100 ? 2 : value <= 200 ? 3 : 4);
  const read = (slot, height) => {
    const window = main[slot];
    if (!window) return "no request";
    const at = height === undefined ? -1 : Math.floor((height - (time.began.length ? 22 : 10)) / row);
    const here = at >= 0 && at < rows && percent[window.at][at] !== null ? `${columns[at].name}: ${times(percent[window.at][at])} times its threshold. ` : "";
    const beyond = percent[window.at].filter((value) => value > 100).length;
    const said = changes[window.at].map(([column, change]) => `${columns[column].name}: ${change}`).join("; ");
    const more = beyond > changes[window.at].length ? `; and ${beyond - changes[window.at].length} more` : "";
    return here + (beyond ? `${many(beyond, "column")} drifted. ${said}${more}` : "no column drifted");
  };
  const figure = chart(time, {
    name: "Drift by column and window", height: () => rows * row + (time.began.length ? 22 : 10) + 22, left: (width) => Math.min(170, Math.round(width * 0.34)),
    read, legend: [["heat1", "below half of the threshold"], ["heat2", "below it"], ["heat3", "drifted"], ["heat4", "over twice the threshold"]],
    paint: (svg, x, y, wide, box) => {
      const letters = Math.floor((box.left - 8) / 6.9), gap = wide > 5 ? 1 : 0;
      for (let at = 0; at < rows; at++) {
        const { name } = columns[at], top = box.top + at * row;
        svg.append(make("text", { class: "end", x: box.left - 8, y: top + 14 }, name.length > letters ? `${name.slice(0, letters - 1)}…` : name));
        svg.append(make("rect", { class: "lane", x: box.left, width: box.right - box.left, y: top + 1, height: row - 2 }));
        const paths = ["", "", "", "", ""];
        main.forEach((window, slot) => {
          if (!window || percent[window.at][at] === null) return;
          const level = heat(percent[window.at][at]), tall = ((row - 2) * level) / 4;
          paths[level] += `M${(x(slot) - wide / 2 + gap / 2).toFixed(2)} ${top + row - 1}v${-tall}h${Math.max(0.5, wide - gap).toFixed(2)}v${tall}z`;
        });
        paths.forEach((path, level) => { if (path) svg.append(make("path", { class: `heat${level}`, d: path })); });
      }
    },
  });
  const button = make("button", { type: "button", class: "plain", "aria-expanded": "false" }, `Show all ${columns.length} columns`);
  button.addEventListener("click", () => {
    const all = rows === columns.length;
    rows = all ? Math.min(FIRST, columns.length) : columns.length;
    button.textContent = all ? `Show all ${columns.length} columns` : `Show ${FIRST} columns`;
    button.setAttribute("aria-expanded", String(!all));
    figure.redraw();
  });
  const changed = columns.filter((column) => column.drifted);
  const changesIn = (some) => table("Columns that drifted, and the change in the last window in which they did", ["@column", "=change", "last in", "#windows", "kind"],
    some.map((column) => [column.name, column.change, column.last, `${column.drifted} of ${found.windows.length}`, column.kind]));
  return section("drift", "Drift of inputs and predictions",
    make("p", {}, "How far each column lies from the training rows (predictions: from those of test rows), relative to the threshold that chance stays below. The taller a mark, the further; from the third height on the column drifted."),
    columns.length ? figure : make("p", { class: "empty" }, "No window has rows to compare."),
    columns.length > FIRST ? button : null,
    changed.length ? changesIn(changed.slice(0, FIRST)) : make("p", {}, "No column drifted in these windows."),
    changed.length > FIRST ? folded(`Changes in the other ${changed.length - FIRST} columns`, () => changesIn(changed.slice(FIRST))) : null,
    folded("Table of drift", () => table("Effect relative to its threshold, by column and window; above 1 the column drifted", ["@column", ...found.windows.map((window) => `#${window.label}`)],
      columns.map((column, at) => [column.name, ...percent.map((values) => (values[at] === null ? "–" : times(values[at])))]))));
}

function quality(found) {
  const title = { null: "null", unknown: "level that training did not have", outside: "outside of training's range", "set aside": "set aside" };
  const odd = [...found.windows].reverse().find((window) => window.outliers);
  return section("quality", "Quality of the data",
    found.quality.length ? table("Measures that were unusual, with the shares of the last window in which they were", ["@column or reason", "=what", "#share", "#usual", "#windows", "last in", "=examples"],
      found.quality.slice(0, 60).map((each) => [each.name, title[each.what] || each.what, share(each.share), share(each.usual), String(each.windows), each.last, each.examples.join(", ")])) : make("p", {}, "No measure was unusual."),
    odd ? make("p", {}, `Outlying rows (several rare values in one row): ${share(odd.outliers[0])} of the rows in ${odd.label}, usually ${share(odd.outliers[1])}.`) : null);
}

function slices(found) {
  if (!found.slices) return null;
  const bundle = found.bundles.find((each) => each.id === found.slices.bundle);
  const least = Number.isFinite(bundle.usual) ? bundle.usual + (bundle.lower ? 1 : -1) * bundle.loss : null;
  const worse = (value) => value !== null && least !== null && (bundle.lower ? value > least : value < least);
  const metric = bundle.metric || "metric";
  const mean = found.slices.rows.some(([, , , value]) => value !== null);
  const heads = ["@column", "@level", `#${metric}`, "#rows", ...(mean ? ["#mean outcome"] : [])];
  const cells = ([column, level, rows, average, value]) => [column, level,
    worse(value) ? make("span", { class: "worse" }, `▼ ${fixed(value)}`) : fixed(value), count(rows), ...(mean ? [fixed(average)] : [])];
  const ranked = found.slices.rows.filter((row) => row[4] !== null).sort((a, b) => (bundle.lower ? b[4] - a[4] : a[4] - b[4]));
  return section("slices", "Slices",
    make("p", {}, `${metric} of each slice of ${found.slices.label}, the last window whose outcomes are complete.`,
      least === null ? "" : ` ▼: beyond the loss worth an alarm (${fixed(least)}); a slice varies more than the whole.`),
    ranked.length ? table(`The ${Math.min(WORST, ranked.length)} worst slices of ${found.slices.label}`, heads, ranked.slice(0, WORST).map(cells)) : make("p", {}, "No slice has enough rows of more than one class."),
    folded("Table of slices", () => table(`Slices of ${found.slices.label}; – where a slice has too few rows or one class`, heads, found.slices.rows.map(cells))));
}

function versions(found) {
  return section("versions", "Versions",
    table("Which bundle answered when", ["version", "bundle", "first window", "last window", "#windows", "#rows"],
      found.bundles.map((bundle) => [bundle.version, make("code", {}, bundle.id.slice(0, 12)), bundle.first, bundle.last, String(bundle.windows), count(bundle.rows)])));
}

function empty() {
  return make("div", { class: "empty" },
    make("p", {}, make("strong", {}, "No window has been reported yet.")),
    make("p", {}, "A window is a day (or a week: ", make("code", {}, "conf/monitoring.yaml"), "), and is reported after its end. Run ",
      make("code", {}, "fullcircle monitor"), " once a day, by cron for instance; then its reports are here."));
}

function show(found) {
  const place = document.getElementById("monitor");
  place.setAttribute("aria-busy", "false");
  if (!found.windows.length) {
    place.replaceChildren(found.alerts.length ? status(found) : "", empty());
    return;
  }
  const time = slotted(found);
  const parts = [status(found), tiles(found), accuracy(found, time), calibration(found, time), traffic(found, time), latency(found, time), drift(found, time), quality(found), slices(found), versions(found)];
  place.replaceChildren(...parts.filter(Boolean));
}

async function load() {
  const inside = document.getElementById("found");
  if (inside) return JSON.parse(inside.textContent);
  const response = await fetch("/monitor.json");
  const found = await response.json();
  if (!response.ok) throw new Error(found.error);
  return found;
}

load().then(show).catch((error) => {
  const place = document.getElementById("monitor");
  place.setAttribute("aria-busy", "false");
  place.replaceChildren(make("p", { class: "error", role: "alert" }, `The reports cannot be shown: ${error.message}. Load the page again in a while.`));
});

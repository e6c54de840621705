/* What the moving figures share: one global, no library. A page has containers with a still and with constants as JSON
(scaling/book/moving); a figure's script calls scalingFigures.register("name", (figure, constants) => { ... }). The kit
`figure` has panel(legend) for controls, output() for lines that are read aloud when they change, plot() for pictures,
and onChange(draw), which draws at once and after each change. Settings stand in the address: #moving-name?key=value. */
(() => {
"use strict";

const builders = {};
const formulas = { sum, loss, optimum, interval, root, dot, mean, centred, line, spaced, effective, usefulSize,
  limitedLoss, limitedPlan };
const words = { number, flops, count, short, percent, parse };
const register = (name, build) => (builders[name] = build);
window.scalingFigures = { register, formulas, words, random, element };

// --- formulas of scaling.laws and scaling.optimum for laws {E, A, B, alpha, beta, k}; k is 1 where it is left out

function sum(law, params, tokens) {
  return law.A * params ** -law.alpha + law.B * tokens ** -law.beta;
}

function loss(law, params, tokens) {
  return law.E + sum(law, params, tokens) ** (law.k ?? 1);
}

/** The size and tokens of least loss at a budget of 6 N D, whatever the coupling k. */
function optimum(law, flops) {
  const whole = law.alpha + law.beta;
  const G = (law.alpha * law.A / (law.beta * law.B)) ** (1 / whole);
  const params = G * (flops / 6) ** (law.beta / whole);
  const tokens = flops / (6 * params);
  return { params, tokens, flops, loss: loss(law, params, tokens) };
}

function effective(amount, unique, decay) {
  return Math.min(amount, unique) - unique * decay * Math.expm1(-Math.max(amount / unique - 1, 0) / decay);
}

function usefulSize({ A, B, alpha, beta }, unique) {
  return (alpha * A / (beta * B)) ** (1 / alpha) * unique ** (beta / alpha);
}

/** The loss when only `unique` tokens are distinct; `law` has R* of tokens as `repeated`, of parameters as `excess`. */
function limitedLoss(law, params, tokens, unique) {
  const size = effective(params, usefulSize(law, unique), law.excess);
  return loss(law, size, effective(tokens, unique, law.repeated));
}

/** The plan of least loss then: where a per cent more size and a per cent more tokens buy the same. */
function limitedPlan(law, flops, unique) {
  const span = Math.log(flops / (6 * unique * usefulSize(law, unique)));
  // the logarithm by which a term's pull falls at exp(y) times what is new
  const lost = (y, exponent, decay) => {
    const decays = Math.expm1(y) / decay;
    return (1 + exponent) * Math.log1p(-decay * Math.expm1(-decays)) + decays - y;
  };
  const gap = (y) => lost(y, law.beta, law.repeated) - lost(span - y, law.alpha, law.excess);
  const tokens = span > 0 ? unique * Math.exp(root(gap, 0, span)) : optimum(law, flops).tokens;
  const params = flops / (6 * tokens);
  return { params, tokens, epochs: tokens / unique, loss: limitedLoss(law, params, tokens, unique) };
}

/** An interval at a budget from rows {flops, low, high} in their order; null if an end is open. Over the estimate, its
ends are straight in logarithms between the rows and beyond the last; below the first they stay. */
function interval(rows, estimate, budget) {
  if (rows.length < 2 || rows.some((row) => !(row.low > 0 && row.high > 0))) return null;
  const next = rows.findIndex((row) => row.flops >= budget);
  const k = next < 0 ? rows.length - 1 : Math.max(1, next);
  const one = rows[k - 1], two = rows[k];
  const share = Math.max(0, Math.log(budget / one.flops) / Math.log(two.flops / one.flops));
  const ratio = (row, end) => row[end] / estimate(row.flops);
  return ["low", "high"].map((end) => estimate(budget) * ratio(one, end) ** (1 - share) * ratio(two, end) ** share);
}

/** Where a rising function is zero. */
function root(rising, low, high) {
  for (let k = 0; k < 100; k++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function dot(x, y) {
  return x.reduce((total, each, i) => total + each * y[i], 0);
}

function mean(x) {
  return x.reduce((total, each) => total + each, 0) / x.length;
}

function centred(x) {
  const middle = mean(x);
  return x.map((each) => each - middle);
}

/** The straight line of least squares through points: its slope, and its value anywhere. */
function line(x, y) {
  const v = centred(x), slope = dot(v, y) / dot(v, v);
  return { slope, at: (where) => mean(y) + slope * (where - mean(x)) };
}

/** n numbers from low to high, each the same factor above the one before. */
function spaced(low, high, n) {
  return Array.from({ length: n }, (_, i) => low * (high / low) ** (i / (n - 1)));
}

/** Random numbers of a seed: mulberry32 (public domain), and normals by Box and Muller. */
function random(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

// --- numbers as words

const SCALES = [[1e12, "T", "trillion"], [1e9, "B", "billion"], [1e6, "M", "million"], [1e3, "K", "thousand"]];

function number(value, digits = 3) {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return "–";
  if (size && (size < 1e-3 || size >= 1e6)) return flops(value, digits);
  const rounded = Number(value.toPrecision(digits));
  return (Math.abs(rounded) < 1000 ? String(rounded) : rounded.toLocaleString("en")).replace("-", "−");
}

/** 5.76 × 10²³ */
function flops(value, digits = 3) {
  if (!value || !Number.isFinite(value)) return value === 0 ? "0" : "–";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const raised = `${Number(exponent)}`.replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
  return `${Number(mantissa)} × 10${raised}`.replace(/^1 × /, "");
}

/** A count of parameters or tokens: 72 billion; `short`: 72B. */
function count(value, digits = 3, place = 2) {
  const scale = value < 1e16 && SCALES.find(([size]) => value >= size * 0.9995);
  return scale ? number(value / scale[0], digits) + (place === 2 ? " " : "") + scale[place] : number(value, digits);
}

function short(value, digits) {
  return count(value, digits, 1);
}

function percent(share, digits = 2) {
  return `${number(100 * share, digits)} %`;
}

/** What somebody typed: 1e24, 70B, 1.4 trillion, 1,000, 5 × 10^23; NaN where it is no number. */
function parse(text) {
  const plain = String(text).trim().toLowerCase().replace(/,(?=\d{3}(\D|$))/g, "").replace(/\s*[×x*]\s*10\^?/, "e");
  const [, value, word] = plain.match(/^(\d*\.?\d+(?:e[+-]?\d+)?)\s*([a-z]*)$/) || [];
  const scale = SCALES.find(([, letter, name]) => word === letter.toLowerCase() || word === name);
  return scale || word === "" ? value * (scale ? scale[0] : 1) : NaN;
}

// --- a figure

/** An element of HTML; what is written by a reader or a file comes in as a child, never as HTML. */
function element(html, ...children) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const made = holder.content.firstElementChild;
  made.append(...children);
  return made;
}

let made = 0;
const fresh = () => `moving-${++made}`;
const button = (label) => `<button type="button">${label}</button>`;

/** A paragraph that is read aloud when it changes; `say` takes strings and elements. */
function speaker(into, kind) {
  const box = element(`<p class="moving-${kind}" aria-live="polite">`);
  into.append(box);
  const say = (...parts) => {
    const said = element("<p>", ...parts);
    box.hidden = !said.textContent;
    if (box.innerHTML !== said.innerHTML) box.replaceChildren(...said.childNodes);
  };
  return { say };
}

/** `mark` is what begins the settings in a link, which knows the controls by their keys. */
class Figure {
  constructor(container, constants) {
    this.constants = constants;
    this.container = container;
    this.mark = `#${container.id}?`;
    this.controls = new Map();
    this.live = element('<div class="moving-live" role="group"><p class="moving-title"></p><div class="moving-columns">' +
      '<div class="moving-controls"></div><div class="moving-shown">');
    this.live.firstChild.textContent = this.live.ariaLabel = constants.title;
    [this.left, this.right] = this.live.lastChild.children;
    container.append(this.live);
  }

  /** A group of controls, native inputs with labels. Each has get, set and show. */
  panel(legend) {
    return new Panel(this, legend);
  }

  /** A paragraph beside the pictures: an "answer" or a "warning". */
  output(kind = "answer") {
    return speaker(this.right, kind);
  }

  /** A picture; `aspect` is its height over its width, from `least` to `most` pixels. */
  plot(shape) {
    return plotter(this.right, shape);
  }

  onChange(draw) {
    this.draw = draw;
    draw();
  }

  /** What all controls say, by their keys. */
  values() {
    return Object.fromEntries([...this.controls].map(([key, control]) => [key, control.get()]));
  }

  changed() {
    if (this.waiting || !this.draw) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
      if (location.hash.startsWith(this.mark)) history.replaceState(null, "", this.link());
    });
  }

  link() {
    const moved = Object.entries(this.values()).filter(([key, value]) => value !== this.controls.get(key).first);
    return location.href.split("#")[0] + this.mark + new URLSearchParams(moved);
  }

  finish() {
    const unknown = [];
    if (location.hash.startsWith(this.mark)) {
      for (const [key, value] of new URLSearchParams(location.hash.slice(this.mark.length))) {
        const control = this.controls.get(key);
        control?.set(value);
        if (!control || (String(control.get()) !== value && !(Number(value) > 0))) unknown.push(key);
      }
      this.container.scrollIntoView();
    }
    const foot = element(`<p class="moving-foot">${button("Copy a link to these settings")}` +
      `${button("Back to the first settings")}<span role="status">`);
    const [copy, reset, told] = foot.children;
    this.live.append(foot);
    if (unknown.length) told.textContent = `The link asks for what is not known here: ${unknown.join(", ")}.`;
    reset.onclick = () => {
      this.controls.forEach((control) => control.set(control.first));
      told.textContent = "The first settings are back.";
    };
    copy.onclick = async () => {
      history.replaceState(null, "", this.link());
      const field = element('<input readonly aria-label="link to these settings">');
      field.value = this.link();
      told.replaceChildren(field);
      field.select();
      await navigator.clipboard?.writeText(field.value).then(() => told.prepend("Copied: "), () => told.prepend("Copy: "));
    };
  }
}

class Panel {
  constructor(figure, legend) {
    this.figure = figure;
    this.box = element(`<fieldset><legend>${legend}</legend>`);
    figure.left.append(this.box);
  }

  row(...children) {
    const row = element('<div class="moving-row">', ...children);
    this.box.append(row);
    return row;
  }

  /** Words below the controls. */
  note(...parts) {
    const note = speaker(this.box, "note");
    note.say(...parts);
    return note;
  }

  keep(key, row, get, set) {
    const changed = row.onchange = () => this.figure.changed();
    const change = (value) => changed(set(value));
    const control = { get, set: change, show: (visible) => (row.hidden = !visible), first: get() };
    this.figure.controls.set(key, control);
    return control;
  }

  /** A number by a slider from `min` to `max` and a field.

  It begins at the constant of its key. With `log` the slider is logarithmic; the field takes 70B or 1e24, and all from
  `least` to `most`. */
  range({ key, label, value = this.figure.constants[key], min, max, step = 0.01, log = false, unit = "",
    words = log ? flops : number, least = min, most = max }) {
    const id = fresh();
    const steps = Math.round(20 * Math.log10(max / min));
    const extent = `min="${min}" max="${max}" step="${step}"`;
    const name = element(`<label for="${id}">${label} <span class="moving-unit">${unit}</span>`);
    const field = element(`<input id="${id}" aria-describedby="${id}-fault" ` +
      (log ? 'inputmode="decimal" autocomplete="off">' : `type="number" ${extent}>`));
    const slider = element(`<input type="range" aria-label="${label}" ${log ? `min="0" max="${steps}"` : extent}>`);
    const fault = element(`<span class="moving-fault" role="alert" id="${id}-fault">`);
    const typed = (value) => (words !== flops ? short(value, 4) :
      Number(value.toPrecision(4)).toExponential().replace("+", ""));
    let now;
    const take = (next) => {
      const right = next >= least && next <= most;
      field.ariaInvalid = !right;
      fault.textContent = right ? "" : `A number from ${words(least)} to ${words(most)}, please.`;
      if (!right) return;
      now = next;
      slider.value = log ? steps * Math.log(now / min) / Math.log(max / min) : now;
      slider.ariaValueText = `${words(now)} ${unit}`;
    };
    const set = (next) => {
      const wanted = next === "" ? NaN : Number(next);
      take(Number.isNaN(wanted) ? now : Math.min(most, Math.max(least, wanted)));
      field.value = log ? typed(now) : now;
    };
    set(value);
    const control = this.keep(key, this.row(name, field, slider, fault), () => now, set);
    field.oninput = () => {
      take(log ? parse(field.value) : field.valueAsNumber);
      this.figure.changed();
    };
    slider.oninput = () => {
      const at = Number(slider.value);
      control.set(log ? Number((min * (max / min) ** (at / steps)).toPrecision(3)) : at);
    };
    return control;
  }

  /** One of several `options`, each {value, label}; `add` adds another, or replaces that of its value. */
  choice({ key, label, value = this.figure.constants[key], options }) {
    const id = fresh();
    const select = element(`<select id="${id}">`);
    const find = (value) => [...select.options].find((each) => each.value === value);
    const add = (option) => {
      find(option.value)?.remove();
      select.add(new Option(option.label, option.value));
    };
    options.forEach(add);
    select.value = value;
    const set = (next) => find(next) && (select.value = next);
    const row = this.row(element(`<label for="${id}">${label}`), select);
    return Object.assign(this.keep(key, row, () => select.value, set), { add });
  }

  check({ key, label, value = false }) {
    const row = this.row(element(`<label class="moving-check"><input type="checkbox"> ${label}`));
    const box = row.firstChild.firstChild;
    box.checked = value;
    return this.keep(key, row, () => box.checked, (next) => (box.checked = String(next) === "true"));
  }

  button(label, act) {
    const row = this.row(element(button(label)));
    row.firstChild.onclick = act;
  }
}

// --- pictures: SVG in the pixels of the screen, so that letters keep their size

/** A picture, by its function draw({x, y, marks, words}); `words` say in a sentence what is seen, or the titles do.

x, y: {from, to, log, title, format, ticks}. Marks, with a colour from 1 to 6 or "quiet" and perhaps a label:
  {kind: "line" or "points", points: [[x, y], ...]}, with width and dash, or with radius and hollow
  {kind: "band", points: [[x, low, high], ...]}; with across: [[y, low, high], ...]
  {kind: "rule", x or y}, a straight line across
  {kind: "area", x: [from, to], y: [from, to]}, of which one may be left out
  {kind: "words", points: [[x, y]]}, a label alone
A label stands near the share `at` of its mark, 1 by default, where it covers no other, and no line if it can. */
function plotter(into, { aspect = 0.55, least = 220, most = 340 } = {}) {
  const box = element('<div class="moving-plot">');
  into.append(box);
  let spec, width;
  function draw(next) {
    spec = next;
    width = box.clientWidth || 600;
    const height = Math.round(Math.min(most, Math.max(least, aspect * width)));
    const frame = { left: 58, right: width - 12, top: 24, bottom: height - 44 };
    const x = axis(spec.x, frame.left, frame.right), y = axis(spec.y, frame.bottom, frame.top);
    const marks = spec.marks.map((mark) => drawMark(mark, x, y, frame));
    const all = (part) => marks.map((mark) => mark[part]).join("");
    box.innerHTML = `<svg width="${width}" height="${height}" role="img">${drawAxes(x, y, frame)}` +
      `<svg x="${frame.left}" y="${frame.top}" width="${x.length}" height="${y.length}" ` +
      `viewBox="${frame.left} ${frame.top} ${x.length} ${y.length}">${all("drawn")}</svg>${all("text")}</svg>`;
    box.firstChild.ariaLabel = spec.words || `${spec.y.title}, against ${spec.x.title}`;
    placeLabels([...box.querySelectorAll(".moving-label")], marks, frame);
  }
  new ResizeObserver(() => spec && box.clientWidth !== width && draw(spec)).observe(box);
  return { draw };
}

function path(points) {
  return points.map(([px, py], k) => `${k ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
}

/** A mark as SVG, the places of its label, the best first, and the line that labels should not cover. */
function drawMark(mark, x, y, { left, right, top, bottom }) {
  const colour = `moving-c${mark.colour || 1}`;
  const stroke = (points, width, dash) => `<path class="moving-line ${colour}" d="${path(points)}" ` +
    `stroke-width="${width}" stroke-dasharray="${dash || "none"}"/>`;
  const filled = (points) => `<path class="moving-band ${colour}" d="${path(points)}Z"/>`;
  const seen = (mark.points || []).map(([place, ...ends]) => ends.map((end) => (
    mark.across ? [x.at(end), y.at(place)] : [x.at(place), y.at(end)])));
  const whole = seen.filter((ends) => ends.flat().every(Number.isFinite));
  let anchors = whole.map(([end]) => end);
  let drawn = "", line = [];
  if (mark.kind === "line") {
    line = anchors;
    drawn = stroke(anchors, mark.width || 2.2, mark.dash && "6 5");
  } else if (mark.kind === "points") {
    drawn = anchors.map(([cx, cy]) => `<circle class="moving-${mark.hollow ? "hollow" : "dot"} ${colour}" cx="${cx}" ` +
      `cy="${cy}" r="${mark.radius || 4}"/>`).join("");
  } else if (mark.kind === "band") {
    drawn = filled([...anchors, ...whole.map(([, end]) => end).reverse()]);
  } else if (mark.kind === "area") {
    const [from, to] = (mark.x || [x.from, x.to]).map(x.at);
    const [low, high] = (mark.y || [y.from, y.to]).map(y.at);
    drawn = filled([[from, low], [to, low], [to, high], [from, high]]);
    anchors = [[Math.max(left, from) - 2, Math.max(top, high) + 2]];
  } else if (mark.kind === "rule") {
    const along = (share) => (mark.x === undefined ? [left + share * x.length, y.at(mark.y)] :
      [x.at(mark.x), bottom - share * y.length]);
    line = Array.from({ length: 99 }, (_, k) => along(k / 98));
    anchors = [along(0), along(1)];
    drawn = stroke(anchors, 1.4, mark.dash !== false && "3 4");
  }
  anchors = anchors.filter(([px, py]) => px > left - 3 && px < right + 3 && py > top - 3 && py < bottom + 3);
  const far = (k) => Math.abs(k - (mark.at ?? 1) * (anchors.length - 1));
  const places = [...anchors.keys()].sort((i, j) => far(i) - far(j)).map((k) => anchors[k]);
  return { drawn, places, line, text: `<text class="moving-label ${colour}">${mark.label || ""}</text>` };
}

/** Put each label beside one of its places, where it covers no other, and no line if it can; or leave it out. */
function placeLabels(labels, marks, { left, right, top, bottom }) {
  const taken = [];
  const lines = marks.flatMap((mark) => mark.line.map(([px, py]) => ({ left: px, right: px, top: py, bottom: py })));
  const meet = (one, two) => one.left < two.right && one.right > two.left && one.top < two.bottom &&
    one.bottom > two.top;
  for (const [k, { places }] of marks.entries()) {
    const width = labels[k].getComputedTextLength();
    const spots = places.flatMap(([px, py]) => [
      [px + 6, py - 7], [px - width - 6, py - 7], [px - width / 2, py - 9], [px + 9, py + 4],
      [px + 6, py + 16], [px - width - 6, py + 16], [px - width / 2, py + 19], [px - width - 9, py + 4]]);
    const boxes = spots.map(([x, y]) => ({ x, y, left: x - 2, right: x + width + 2, top: y - 12, bottom: y + 4 }));
    const free = boxes.filter((box) => width && box.left > left && box.right <= right && box.top >= top &&
      box.bottom <= bottom && !taken.some((other) => meet(box, other)));
    const box = free.find((each) => !lines.some((point) => meet(each, point))) || free[0];
    if (!box) continue;
    taken.push(box);
    labels[k].setAttribute("x", box.x);
    labels[k].setAttribute("y", box.y);
  }
}

/** An axis from pixel `low` to pixel `high`, with the places of its ticks. */
function axis({ from, to, log, title, format = log ? flops : number, ticks }, low, high) {
  const turn = log ? Math.log10 : Number;
  const at = (value) => low + (high - low) * (turn(value) - turn(from)) / (turn(to) - turn(from));
  const length = Math.abs(high - low);
  const room = Math.max(2, Math.floor(length / (low < high ? 72 : 38)));
  const places = ticks || (log ? powers : steps)(from, to, room);
  return { at, from, to, title, length, places, format: (value) => format(value, 4) };
}

function steps(from, to, room) {
  const unit = 10 ** Math.floor(Math.log10((to - from) / room));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit * room >= (to - from) * 0.999);
  const first = Math.ceil(from / step - 1e-9);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step);
}

function powers(from, to, room) {
  const [low, high] = [Math.ceil(Math.log10(from) - 1e-9), Math.floor(Math.log10(to) + 1e-9)];
  const every = Math.ceil((high - low + 1) / room);
  const factors = high - low < 1 ? [1, 2, 5] : high - low < room / 2 ? [1, 3] : [1];
  const exponents = Array.from({ length: high - low + 2 }, (_, k) => low - 1 + k).filter((k) => k % every === 0);
  const found = exponents.flatMap((k) => factors.map((factor) => factor * 10 ** k));
  return found.filter((value) => value >= from * 0.999 && value <= to * 1.001);
}

function drawAxes(x, y, { left, right, top, bottom }) {
  const text = (kind, words, px, py, anchor) => `<text class="moving-${kind}" x="${px}" y="${py}" ` +
    `text-anchor="${anchor}">${words}</text>`;
  const grid = (from, to) => `<path class="moving-grid" d="${path([from, to])}"/>`;
  const across = y.places.map((value) => grid([left, y.at(value)], [right, y.at(value)]) +
    text("tick", y.format(value), left - 7, y.at(value) + 4, "end"));
  const upright = x.places.map((value) => grid([x.at(value), top], [x.at(value), bottom]) +
    text("tick", x.format(value), x.at(value), bottom + 17, "middle"));
  const titles = [text("axis", y.title, 4, 13, "start"), text("axis", x.title, right, bottom + 36, "end")];
  return [...across, ...upright, ...titles].join("");
}

// --- start: after all deferred scripts

document.addEventListener("DOMContentLoaded", () => {
  for (const container of document.querySelectorAll(".moving")) {
    const constants = JSON.parse(container.querySelector("script").textContent);
    const figure = new Figure(container, constants);
    try {
      builders[container.dataset.figure](figure, constants);
      figure.finish();
      container.classList.add("moving-built");
    } catch (error) {
      figure.live.remove();
      console.error(error);
    }
  }
});
})();

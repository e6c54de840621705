/* What the book's moving figures share: classic script, one global, no library, nothing loaded from elsewhere.
 *
 * A page has containers that the directive `moving` wrote (scaling/book/moving): a still, and JSON with constants that
 * Python computed. Each figure's own script calls
 *
 *     scalingFigures.register("name", function build(figure, options) { ... });
 *
 * When the page is there, each container's figure is built beside its still, which is hidden once that went well.
 * `figure` is the kit: figure.panel(legend) makes labelled controls, figure.output() a line that is read aloud when
 * it changes, figure.plot(...) a picture, figure.onChange(draw) calls draw at once and after each change of a control.
 */
(function () {
  "use strict";

  const builders = {};
  const root = { register, formulas: {}, random, words: {}, start };
  window.scalingFigures = root;

  function register(name, build) {
    builders[name] = build;
  }

  // --- formulas that several figures need: those of scaling.laws and scaling.optimum --------------------------------

  /** The sum A/N^alpha + B/D^beta of a law {E, A, B, alpha, beta, k}; k is 1 where it is left out. */
  function sum(law, params, tokens) {
    return law.A * params ** -law.alpha + law.B * tokens ** -law.beta;
  }

  /** Loss in nats a token. */
  function loss(law, params, tokens) {
    return law.E + sum(law, params, tokens) ** (law.k ?? 1);
  }

  /** The size and tokens of least loss at a budget 6 N D, whatever the coupling k. */
  function optimum(law, flops) {
    const whole = law.alpha + law.beta;
    const G = (law.alpha * law.A / (law.beta * law.B)) ** (1 / whole);
    const params = G * (flops / 6) ** (law.beta / whole);
    const tokens = flops / (6 * params);
    return { params, tokens, flops, loss: loss(law, params, tokens) };
  }

  const dot = (a, b) => a.reduce((total, each, i) => total + each * b[i], 0);
  const mean = (x) => x.reduce((total, each) => total + each) / x.length;
  const centred = (x, middle = mean(x)) => x.map((each) => each - middle);

  /** The straight line of least squares through points: its slope, and its value anywhere. */
  function line(x, y) {
    const v = centred(x), slope = dot(v, y) / dot(v, v);
    return { slope, at: (where) => mean(y) + slope * (where - mean(x)) };
  }

  /** n numbers from low to high, each the same factor above the one before. */
  const spaced = (low, high, n) => Array.from({ length: n }, (_, i) => low * (high / low) ** (i / (n - 1)));

  Object.assign(root.formulas, { sum, loss, optimum, dot, mean, centred, line, spaced });

  // --- random numbers ----------------------------------------------------------------------------------------------

  /** Numbers that are the same for the same seed: mulberry32 (public domain), and normals by Box and Muller. */
  function random(seed) {
    let state = seed >>> 0;
    function uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }
    function normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    }
    return { uniform, normal };
  }

  // --- numbers as words --------------------------------------------------------------------------------------------

  const SCALES = [[1e12, "T", "trillion"], [1e9, "B", "billion"], [1e6, "M", "million"], [1e3, "K", "thousand"]];
  const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

  /** A number with so many digits that count, and no exponent as long as people read it. */
  function number(value, digits = 3) {
    if (!Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size && (size < 1e-3 || size >= 1e6)) return flops(value, digits);
    if (size >= 10 ** digits) return Math.round(value).toLocaleString("en");
    return String(Number(value.toPrecision(digits))).replace("-", "−");
  }

  /** 5.76 × 10²³. */
  function flops(value, digits = 3) {
    if (!(Math.abs(value) > 0 && Number.isFinite(value))) return value === 0 ? "0" : "–";
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const power = "10" + String(Number(exponent)).replace(/./g, (sign) => RAISED[sign]);
    return Number(mantissa) === 1 ? power : `${Number(mantissa)} × ${power}`;
  }

  function scaled(value, digits, place, space) {
    const scale = SCALES.find(([size]) => Math.abs(value) >= size * 0.9995);
    if (!scale || Math.abs(value) >= 1e16) return number(value, digits);
    return number(value / scale[0], digits) + space + scale[place];
  }

  /** A count of parameters or tokens: 72 billion; `short`: 72B. */
  const count = (value, digits = 3) => scaled(value, digits, 2, " ");
  const short = (value, digits = 3) => scaled(value, digits, 1, "");
  const percent = (share, digits = 2) => `${number(100 * share, digits)} %`;

  /** A large number as one types it: 5.76e23, 72.2B. */
  function typed(value) {
    return value >= 1e16 ? Number(value.toPrecision(4)).toExponential().replace("+", "") : short(value, 4);
  }

  /** What somebody typed, as a number: 1e24, 70B, 1.4 trillion, 1,000, 5 × 10^23; NaN where it is none. */
  function parse(text) {
    const plain = String(text).trim().toLowerCase().replace(/,(?=\d{3}(\D|$))/g, "").replace(/\s*[×x*]\s*10\^?/, "e");
    const parts = plain.match(/^(\d*\.?\d+(?:e[+-]?\d+)?)\s*([a-z]*)$/);
    if (!parts) return NaN;
    const scale = SCALES.find(([, letter, word]) => [letter.toLowerCase(), word].includes(parts[2]));
    return scale || !parts[2] ? Number(parts[1]) * (scale ? scale[0] : 1) : NaN;
  }

  Object.assign(root.words, { number, flops, count, short, percent, parse });

  // --- elements ----------------------------------------------------------------------------------------------------

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function drawn(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  let made = 0;
  const fresh = () => `moving-part-${++made}`;

  // --- a figure ----------------------------------------------------------------------------------------------------

  class Figure {
    constructor(container, options) {
      this.container = container;
      this.options = options;
      this.controls = new Map();
      this.plots = [];
      const heading = element("p", { class: "moving-title", id: fresh() }, options.title || "");
      this.left = element("div", { class: "moving-controls" });
      this.right = element("div", { class: "moving-shown" });
      this.live = element("div", { class: "moving-live", role: "group", "aria-labelledby": heading.id });
      this.live.append(heading, element("div", { class: "moving-columns" }, this.left, this.right));
    }

    /** A group of controls with a legend. */
    panel(legend) {
      const box = element("fieldset", {}, element("legend", {}, legend));
      this.left.append(box);
      return new Panel(this, box);
    }

    /** A paragraph that is read aloud when it changes. `say` takes strings and elements; `kind`: "warning". */
    output(kind = "answer") {
      const box = element("p", { class: `moving-${kind}`, "aria-live": "polite" });
      this.right.append(box);
      return {
        say(...parts) {
          const words = parts.map((part) => (part instanceof Node ? part.textContent : part)).join("");
          if (box.textContent !== words) box.replaceChildren(...parts);
          box.hidden = !words;
        },
      };
    }

    /** A picture; `aspect` is height over width, within `least` and `most` px. */
    plot({ aspect = 0.55, least = 220, most = 340 } = {}) {
      const plot = new Plot(this, { aspect, least, most });
      this.right.append(plot.box);
      this.plots.push(plot);
      return plot;
    }

    /** Call `draw` now and after each change, once a frame. */
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
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.draw();
        this.keepSettings();
      });
    }

    // The settings stand in the address as #moving-name?key=value&..., with keys only where a reader moved something.

    settings() {
      const moved = [...this.controls].filter(([, control]) => String(control.get()) !== String(control.first));
      return new URLSearchParams(moved.map(([key, control]) => [key, control.get()]));
    }

    link() {
      return `${location.href.split("#")[0]}#${this.container.id}?${this.settings()}`;
    }

    keepSettings() {
      if (location.hash.split("?")[0] === `#${this.container.id}`) history.replaceState(null, "", this.link());
    }

    takeSettings() {
      const [name, settings] = location.hash.split("?");
      if (name !== `#${this.container.id}` || settings === undefined) return;
      for (const [key, value] of new URLSearchParams(settings)) this.controls.get(key)?.take(value);
      this.container.scrollIntoView();
    }

    finish() {
      const told = element("span", { class: "moving-told", role: "status" });
      const copy = element("button", { type: "button" }, "Copy a link to these settings");
      const reset = element("button", { type: "button" }, "Back to the first settings");
      copy.addEventListener("click", () => this.copyLink(told));
      reset.addEventListener("click", () => {
        this.controls.forEach((control) => control.set(control.first));
        this.container.dispatchEvent(new Event("moving-reset"));
        told.replaceChildren("The first settings are back.");
      });
      this.live.append(element("p", { class: "moving-foot" }, copy, reset, told));
    }

    async copyLink(told) {
      const link = this.link();
      history.replaceState(null, "", link);
      try {
        await navigator.clipboard.writeText(link);
        told.replaceChildren("Copied.");
      } catch {
        const field = element("input", { type: "text", readonly: "", value: link, "aria-label": "link to copy" });
        told.replaceChildren("Copy it from here: ", field);
        field.select();
      }
    }
  }

  // --- controls: native inputs with labels -------------------------------------------------------------------------

  class Panel {
    constructor(figure, box) {
      this.figure = figure;
      this.box = box;
    }

    show(visible) {
      this.box.hidden = !visible;
    }

    row(...children) {
      const row = element("div", { class: "moving-row" }, ...children);
      this.box.append(row);
      return row;
    }

    /** Words below the controls. */
    note(text) {
      const note = element("p", { class: "moving-note" }, text);
      this.box.append(note);
      return { say: (...parts) => note.replaceChildren(...parts) };
    }

    /** Remember a control by its key, by which the link knows it. */
    keep(key, control) {
      control.first = control.get();
      control.take ??= (text) => control.set(text);
      this.figure.controls.set(key, control);
      return control;
    }

    /** A number by a slider and a field. With `log` the slider is logarithmic, and the field takes 70B or 1e24. */
    range({ key, label, value = this.figure.options[key], min, max, step = 0.01, log = false, unit = "", words = log ? flops : number }) {
      const plain = log ? typed : String;
      const id = fresh();
      const name = element("label", { for: id, id: `${id}-label` }, label);
      if (unit) name.append(element("span", { class: "moving-unit" }, ` ${unit}`));
      const field = element("input", log ? { type: "text", inputmode: "decimal", id, size: 9, autocomplete: "off" } :
        { type: "number", id, min, max, step });
      const steps = log ? Math.round(20 * Math.log10(max / min)) : 0;
      const slider = element("input", { type: "range", "aria-labelledby": `${id}-label`, min: log ? 0 : min,
        max: log ? steps : max, step: log ? 1 : step });
      const fault = element("span", { class: "moving-fault", role: "alert", id: `${id}-fault` });
      field.setAttribute("aria-describedby", fault.id);
      let now = value;
      const show = () => {
        slider.value = log ? steps * Math.log(now / min) / Math.log(max / min) : now;
        slider.setAttribute("aria-valuetext", `${words(now)} ${unit}`.trim());
      };
      const complain = (wrong) => {
        field.setAttribute("aria-invalid", wrong);
        fault.textContent = wrong ? `A number from ${words(min)} to ${words(max)}, please.` : "";
      };
      const set = (next) => {
        now = Math.min(max, Math.max(min, Number(next)));
        complain(false);
        field.value = plain(now);
        show();
        this.figure.changed();
      };
      const read = () => {
        const next = log ? parse(field.value) : field.valueAsNumber;
        const right = next >= min && next <= max;
        complain(!right);
        if (!right) return;
        now = next;
        show();
        this.figure.changed();
      };
      field.addEventListener("input", read);
      slider.addEventListener("input", () => {
        const at = Number(slider.value);
        set(log ? Number((min * (max / min) ** (at / steps)).toPrecision(3)) : at);
      });
      field.value = plain(now);
      show();
      const row = this.row(name, field, slider, fault);
      const take = (text) => Number.isFinite(Number(text)) && set(text);
      return this.keep(key, { get: () => now, set, take, show: (visible) => (row.hidden = !visible) });
    }

    /** One of several; `options` are {value, label}. */
    choice({ key, label, value = this.figure.options[key], options }) {
      const id = fresh();
      const select = element("select", { id });
      const fill = (these) => select.replaceChildren(
        ...these.map((each) => element("option", { value: each.value }, each.label)));
      fill(options);
      select.value = value;
      select.addEventListener("change", () => this.figure.changed());
      const row = this.row(element("label", { for: id }, label), select);
      const set = (next) => {
        if ([...select.options].some((each) => each.value === String(next))) select.value = next;
        this.figure.changed();
      };
      return this.keep(key, { get: () => select.value, set, fill, show: (visible) => (row.hidden = !visible) });
    }

    check({ key, label, value = false }) {
      const id = fresh();
      const box = element("input", { type: "checkbox", id });
      box.checked = value;
      box.addEventListener("change", () => this.figure.changed());
      const row = this.row(box, element("label", { for: id }, label));
      row.classList.add("moving-check");
      const set = (next) => {
        box.checked = next === true || next === "true";
        this.figure.changed();
      };
      return this.keep(key, { get: () => box.checked, set, show: (visible) => (row.hidden = !visible) });
    }

    button(label, act) {
      const button = element("button", { type: "button" }, label);
      button.addEventListener("click", act);
      this.row(button);
      return button;
    }
  }

  // --- pictures: SVG in the pixels of the screen, so that letters keep their size ------------------------------------

  const TEXT = 12.5;

  class Plot {
    constructor(figure, shape) {
      this.figure = figure;
      this.shape = shape;
      this.box = element("div", { class: "moving-plot" });
      this.name = fresh();
      new ResizeObserver(() => this.again()).observe(this.box);
    }

    again() {
      if (this.spec && this.box.clientWidth !== this.width) this.draw(this.spec);
    }

    /** Draw {x, y, marks, words}.
     *
     * x, y: {from, to, log, title, format, ticks}. `words` says in a sentence what is seen. Marks, in their order:
     *   {kind: "line", points: [[x, y], ...], colour, width, dash, label, at}   at: share of the way, 1 by default
     *   {kind: "points", points, colour, radius, hollow, label, at}
     *   {kind: "band", points: [[x, low, high], ...], colour, label, at}
     *   {kind: "rule", x or y, colour, dash, label}   a straight line across
     *   {kind: "area", x: [from, to], y: [from, to], colour, label}   either may be left out
     * Colours are 1 to 6, or "quiet". Labels stand in the picture where they cover neither each other nor the frame.
     */
    draw(spec) {
      this.spec = spec;
      this.width = this.box.clientWidth || 600;
      const { aspect, least, most } = this.shape;
      const height = Math.round(Math.min(most, Math.max(least, aspect * this.width)));
      const frame = { left: 58, right: this.width - 12, top: 24, bottom: height - 44 };
      const x = axis(spec.x, frame.left, frame.right);
      const y = axis(spec.y, frame.bottom, frame.top);
      const inside = drawn("g", { "clip-path": `url(#${this.name})` });
      const labels = [];
      for (const mark of spec.marks) this.mark(mark, x, y, frame, inside, labels);
      const picture = drawn("svg", { width: this.width, height, viewBox: `0 0 ${this.width} ${height}`, role: "img" });
      picture.setAttribute("aria-label", spec.words || `${spec.y.title}, against ${spec.x.title}`);
      const clip = drawn("rect", { x: frame.left, y: frame.top, width: frame.right - frame.left,
        height: frame.bottom - frame.top });
      picture.append(drawn("defs", {}, drawn("clipPath", { id: this.name }, clip)));
      picture.append(...axes(x, y, frame), inside);
      this.box.replaceChildren(picture);
      place(picture, labels, frame);
    }

    mark(mark, x, y, frame, into, labels) {
      const colour = `moving-c${mark.colour || 1}`;
      const seen = (mark.points || []).map((point) => [x.at(point[0]), ...point.slice(1).map(y.at)]);
      const whole = seen.filter((point) => point.every(Number.isFinite));
      let anchors = whole.filter(([px, py]) => px >= frame.left && px <= frame.right && py >= frame.top &&
        py <= frame.bottom);
      if (mark.kind === "line") {
        const style = { class: `moving-line ${colour}`, d: path(whole), "stroke-width": mark.width || 2.2 };
        if (mark.dash) style["stroke-dasharray"] = "6 5";
        into.append(drawn("path", style));
      } else if (mark.kind === "points") {
        for (const [cx, cy] of whole) {
          const look = mark.hollow ? "moving-hollow" : "moving-dot";
          into.append(drawn("circle", { class: `${look} ${colour}`, cx, cy, r: mark.radius || 4 }));
        }
      } else if (mark.kind === "band") {
        const back = whole.map(([px, , high]) => [px, high]).reverse();
        into.append(drawn("path", { class: `moving-band ${colour}`, d: `${path(whole.concat(back))}Z` }));
      } else if (mark.kind === "area") {
        const [from, to] = (mark.x || [x.from, x.to]).map(x.at);
        const [low, high] = (mark.y || [y.from, y.to]).map(y.at);
        const size = { x: Math.min(from, to), y: Math.min(low, high), width: Math.abs(to - from) };
        into.append(drawn("rect", { class: `moving-band ${colour}`, ...size, height: Math.abs(high - low) }));
        anchors = [[Math.max(frame.left, size.x) + 4, Math.max(frame.top, size.y) + 14]];
      } else {
        const upright = mark.x !== undefined;
        const at = upright ? x.at(mark.x) : y.at(mark.y);
        const ends = upright ? [[at, frame.bottom], [at, frame.top]] : [[frame.left, at], [frame.right, at]];
        into.append(drawn("path", { class: `moving-line ${colour}`, d: path(ends), "stroke-width": 1.4,
          "stroke-dasharray": mark.dash === false ? "none" : "3 4" }));
        anchors = ends.filter(([px, py]) => px >= frame.left - 1 && px <= frame.right + 1 && py >= frame.top - 1 &&
          py <= frame.bottom + 1);
      }
      if (mark.label && anchors.length) {
        const first = Math.round((mark.at ?? 1) * (anchors.length - 1));
        labels.push({ text: mark.label, colour, anchors: [anchors[first], ...anchors] });
      }
    }
  }

  /** An axis from pixel `low` to pixel `high`, with the places of its ticks. */
  function axis({ from, to, log = false, title, format, ticks }, low, high) {
    const turn = log ? Math.log10 : (value) => value;
    const at = (value) => low + (high - low) * (turn(value) - turn(from)) / (turn(to) - turn(from));
    const room = Math.max(2, Math.floor(Math.abs(high - low) / (low < high ? 72 : 38)));
    const places = ticks || (log ? powers(from, to, room) : steps(from, to, room));
    return { at, from, to, title, places, format: format || (log ? flops : (value) => number(value, 4)) };
  }

  function steps(from, to, room) {
    const rough = Math.abs(to - from) / room;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough * 0.999);
    const found = [];
    for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9 * step; k++) found.push(k * step);
    return found;
  }

  function powers(from, to, room) {
    const low = Math.ceil(Math.log10(from) - 1e-9);
    const high = Math.floor(Math.log10(to) + 1e-9);
    const every = Math.ceil((high - low + 1) / room);
    const found = [];
    for (let k = low - 1; k <= high; k++) {
      const inner = high - low < 1 ? [1, 2, 5] : high - low < room / 2 ? [1, 3] : [1];
      if (every === 1 || k % every === 0) found.push(...inner.map((factor) => factor * 10 ** k));
    }
    return found.filter((value) => value >= from * 0.999 && value <= to * 1.001);
  }

  function path(points) {
    return points.map(([px, py], k) => `${k ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  }

  function text(words, x, y, anchor, kind) {
    return drawn("text", { x, y, "text-anchor": anchor, class: kind, "font-size": TEXT }, words);
  }

  function axes(x, y, frame) {
    const parts = [];
    for (const value of y.places) {
      const at = y.at(value);
      parts.push(drawn("path", { class: "moving-grid", d: path([[frame.left, at], [frame.right, at]]) }));
      parts.push(text(y.format(value), frame.left - 7, at + 4, "end", "moving-tick"));
    }
    for (const value of x.places) {
      const at = x.at(value);
      parts.push(drawn("path", { class: "moving-grid", d: path([[at, frame.top], [at, frame.bottom]]) }));
      parts.push(text(x.format(value), at, frame.bottom + 17, "middle", "moving-tick"));
    }
    parts.push(text(y.title, 4, 13, "start", "moving-axis"));
    parts.push(text(x.title, frame.right, frame.bottom + 36, "end", "moving-axis"));
    return parts;
  }

  /** Put each label where it covers no other: above, below or beside one of its anchors. */
  function place(picture, labels, frame) {
    const taken = [];
    const free = (box) => box.left >= frame.left + 2 && box.right <= frame.right - 2 && box.top >= frame.top &&
      box.bottom <= frame.bottom - 2 && !taken.some((other) => box.left < other.right && box.right > other.left &&
      box.top < other.bottom && box.bottom > other.top);
    for (const { text: words, colour, anchors } of labels) {
      const label = text(words, 0, 0, "start", `moving-label ${colour}`);
      picture.append(label);
      const width = label.getComputedTextLength();
      const spots = anchors.flatMap(([px, py]) => [[px + 6, py - 7], [px - width - 6, py - 7], [px - width / 2, py - 9],
        [px + 6, py + 16], [px - width - 6, py + 16], [px + 9, py + 4], [px - width - 9, py + 4]]);
      const boxes = spots.map(([left, base]) => ({ left, base, right: left + width, top: base - 12, bottom: base + 4 }));
      const best = boxes.find(free);
      if (!best) {
        label.remove();
        continue;
      }
      taken.push(best);
      label.setAttribute("x", best.left.toFixed(1));
      label.setAttribute("y", best.base.toFixed(1));
    }
  }

  // --- start -------------------------------------------------------------------------------------------------------

  /** Build the figures of all containers that have none yet. */
  function start() {
    for (const container of document.querySelectorAll(".moving:not(.moving-built)")) {
      const build = builders[container.dataset.figure];
      if (!build) continue;
      const options = JSON.parse(container.querySelector("script").textContent);
      const figure = new Figure(container, options);
      container.append(figure.live);
      try {
        build(figure, options);
        figure.finish();
        figure.takeSettings();
        container.classList.add("moving-built");
      } catch (error) {
        figure.live.remove();
        console.error(error);
      }
    }
  }

  Object.assign(root, { element });
  document.addEventListener("DOMContentLoaded", start); // which comes after all deferred scripts
})();

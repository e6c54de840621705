/* Approach 2 without noise: a grid of sizes at each budget, and how far its parabola misses the best size. */
(function () {
  "use strict";
  const { formulas, words } = scalingFigures;

  const evenly = (low, high, n) => Array.from({ length: n }, (_, i) => low + (i / (n - 1)) * (high - low));

  /** The loss above its floor at N = N* e^x, in units of the data term at the floor. */
  function valley(alpha, beta, x) {
    return (beta / alpha) * Math.expm1(-alpha * x) + Math.expm1(beta * x);
  }

  /** Least squares of c0 + c1 v + c2 v² at n sizes from centre / width to centre · width, v = ln(N / centre). */
  function parabola(alpha, beta, width, n, centre) {
    const v = evenly(-Math.log(width), Math.log(width), n);
    const y = v.map((each) => valley(alpha, beta, each + Math.log(centre)));
    const sum = (of) => v.reduce((total, each, i) => total + of(each, y[i]), 0);
    const v2 = sum((x) => x * x), v4 = sum((x) => x ** 4), all = sum((x, l) => l);
    const c2 = (n * sum((x, l) => x * x * l) - v2 * all) / (n * v4 - v2 * v2);
    return { c0: (all - c2 * v2) / n, c1: sum((x, l) => x * l) / v2, c2, v, y };
  }

  /** Its minimum over the best size (NaN where it opens downwards), and whether that lies among the sizes. */
  function parabolaBias(alpha, beta, width, n, centre) {
    const { c1, c2 } = parabola(alpha, beta, width, n, centre);
    const lowest = c2 > 0 ? -c1 / (2 * c2) : NaN;
    return { bias: centre * Math.exp(lowest), inside: Math.abs(lowest) < Math.log(width) };
  }

  /** Centres that move evenly from the first budget to the last: the minima, and the line through those inside. */
  function gridStudy({ alpha, beta, width, first, last, n, budgets, flops }) {
    const centres = evenly(Math.log(first), Math.log(last), budgets.length).map(Math.exp);
    const points = centres.map((centre, i) => (
      { flops: budgets[i], centre, ...parabolaBias(alpha, beta, width, n, centre) }));
    const used = points.filter((point) => point.inside);
    const truth = beta / (alpha + beta);
    if (used.length < 2) return { points, used, truth };
    const line = formulas.line(used.map((p) => Math.log(p.flops)), used.map((p) => Math.log(p.bias)));
    const at = (C) => Math.exp(line.at(Math.log(C)));
    return { points, used, truth, a: truth + line.slope, at, factor: at(flops) };
  }

  Object.assign(formulas, { valley, parabola, parabolaBias, gridStudy });

  const away = (ratio, more, less) => {
    const off = 100 * (ratio - 1);
    return Math.abs(off) < 0.005 ? "at" : `${words.number(Math.abs(off), 2)} % ${off > 0 ? more : less}`;
  };

  scalingFigures.register("grid", function (figure, { alpha, beta, width, sizes, budgets, flops }) {
    const law = figure.panel("The law");
    const slope = { min: 0.05, max: 0.8, step: 0.005 };
    const controls = [
      law.range({ key: "alpha", label: "Exponent α of the size", value: alpha, ...slope }),
      law.range({ key: "beta", label: "Exponent β of the tokens", value: beta, ...slope }),
    ];
    const grid = figure.panel("The grid of sizes");
    const factor = { log: true, words: words.number };
    controls.push(
      grid.range({ key: "width", label: "Half-width: from the centre ÷ this to × this", value: width, min: 1.5, max: 32,
        ...factor }),
      grid.range({ key: "first", label: "Centre over the best size, at the smallest budget", value: 1, min: 0.2, max: 5,
        ...factor }),
      grid.range({ key: "last", label: "Centre over the best size, at the largest budget", value: 1, min: 0.2, max: 5,
        ...factor }),
      grid.range({ key: "n", label: "Sizes at each budget", value: sizes, min: 4, max: 25, step: 1 }));
    grid.note("No runs and no noise: the loss is E + A/N^α + B/D^β exactly. E, A and B do not matter here.");
    const answer = figure.output(), warning = figure.output("warning");
    const floor = figure.plot(), minima = figure.plot({ aspect: 0.42 });

    figure.onChange(() => {
      const [alpha, beta, width, first, last, n] = controls.map((control) => control.get());
      const study = gridStudy({ alpha, beta, width, first, last, n, budgets, flops });
      const ends = first === last ? study.points.slice(0, 1) : [study.points[0], study.points.at(-1)];
      drawValley(floor, alpha, beta, width, n, ends);
      drawMinima(minima, study, flops);
      answer.say(sentence(study, first === last, flops));
      const lost = study.points.length - study.used.length;
      warning.say(lost ? `At ${lost} of ${study.points.length} budgets the parabola has no minimum among the sizes ` +
        "tried. Such budgets are left out (hollow)." : "");
    });
  });

  function sentence({ points, used, truth, a, factor }, alike, flops) {
    if (!a) return "Fewer than two budgets have their minimum among the sizes tried: there is no line, and no answer.";
    const begin = used[0].bias, end = used.at(-1).bias;
    if (alike) {
      const off = away(begin, "above", "below");
      const tokens = off === "at" ? "" : `, with ${away(1 / begin, "too many", "too few")} tokens,`;
      return `At every budget the parabola is lowest ${off} the best size${tokens} and the exponent a comes out right, ` +
        `${words.number(a)}: what is wrong alike at all budgets leaves the slope alone.`;
    }
    return `The parabola is lowest ${away(begin, "above", "below")} the best size at ${words.flops(used[0].flops)} FLOP ` +
      `and ${away(end, "above", "below")} it at ${words.flops(used.at(-1).flops)}. So the exponent a comes out as ` +
      `${a.toFixed(3)} instead of ${truth.toFixed(3)}, and the size for ${words.flops(flops)} FLOP ` +
      `${away(factor, "too large", "too small")}.`;
  }

  function drawValley(plot, alpha, beta, width, n, ends) {
    const centres = ends.map((end) => end.centre);
    const [from, to] = [Math.min(1, ...centres) / width / 1.3, Math.max(1, ...centres) * width * 1.3];
    const across = evenly(Math.log(from), Math.log(to), 120);
    const marks = [{ kind: "rule", x: 1, colour: "quiet", label: "best size" },
      { kind: "line", points: across.map((x) => [Math.exp(x), valley(alpha, beta, x)]), colour: 1, label: "the loss",
        at: 0.08 }];
    let top = 0;
    ends.forEach(({ centre, bias }, k) => {
      const { c0, c1, c2, v, y } = parabola(alpha, beta, width, n, centre);
      const curve = (x) => c0 + c1 * x + c2 * x * x;
      const name = ends.length < 2 ? "" : k ? ", largest budget" : ", smallest budget";
      top = Math.max(top, ...y);
      marks.push({ kind: "line", points: across.map((x) => [Math.exp(x), curve(x - Math.log(centre))]), dash: true,
        colour: 2 + k, label: `parabola${name}`, at: 0.9 },
      { kind: "points", points: v.map((x, i) => [centre * Math.exp(x), y[i]]), colour: 2 + k, radius: 3 },
      { kind: "points", points: [[bias, curve(Math.log(bias / centre))]], colour: 2 + k, radius: 6, hollow: true,
        label: "its lowest point" });
    });
    plot.draw({
      x: { from, to, log: true, title: "Size over the best size, N / N*", format: (value) => words.number(value) },
      y: { from: -0.12 * top, to: 1.15 * top, title: "Loss above the floor, in units of the data term there" },
      marks, words: "The loss against the size, with its parabola: " +
        ends.map(({ bias }) => `lowest at ${words.number(bias)} times the best size`).join("; "),
    });
  }

  function drawMinima(plot, { points, used, at }, flops) {
    const percent = (ratio) => 100 * (ratio - 1);
    const found = points.filter((point) => Number.isFinite(point.bias));
    const ends = at ? [points[0].flops, flops].map((C) => [C, percent(at(C))]) : [];
    const all = [...found.map((p) => percent(p.bias)), ...ends.map((end) => end[1]), 2, -2];
    const room = 0.15 * (Math.max(...all) - Math.min(...all));
    const dots = (some, hollow, label) => ({ kind: "points", colour: 2, hollow, label, at: 0,
      points: some.map((p) => [p.flops, percent(p.bias)]) });
    plot.draw({
      x: { from: points[0].flops / 2, to: flops * 2, log: true, title: "Budget [FLOP]" },
      y: { from: Math.min(...all) - room, to: Math.max(...all) + room, title: "Size found, % off the best size" },
      marks: [{ kind: "rule", y: 0, colour: "quiet" }, { kind: "line", points: ends, dash: true, colour: 2 },
        dots(used, false, "lowest points"), dots(found.filter((p) => !p.inside), true),
        { kind: "points", points: ends.slice(1), colour: 6, label: `followed to ${words.flops(flops)}` }],
      words: `The sizes found at ${used.length} budgets, in per cent off the best ones` +
        (at ? `, and ${words.number(ends[1][1], 2)} % at ${words.flops(flops)} FLOP` : ""),
    });
  }
})();

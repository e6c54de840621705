/* Approach 2 without noise: a grid of sizes at each budget, and how far its parabola misses the best size. */
(() => {
"use strict";
const { formulas, words: { number, flops: power } } = scalingFigures;
const { centred, dot, mean, spaced } = formulas;

/** The loss above its floor at N = N* e^x, in units of the data term at the floor. */
function valley(alpha, beta, x) {
  return (beta / alpha) * Math.expm1(-alpha * x) + Math.expm1(beta * x);
}

/** Least squares of c0 + c1 v + c2 v² at n sizes from centre / width to centre · width, v = ln(N / centre). */
function parabola(alpha, beta, width, n, centre) {
  const v = spaced(1 / width, width, n).map(Math.log), bent = centred(v.map((x) => x * x));
  const y = v.map((each) => valley(alpha, beta, each + Math.log(centre))), c2 = dot(bent, y) / dot(bent, bent);
  return { c0: mean(y) - c2 * (v[0] ** 2 - bent[0]), c1: dot(v, y) / dot(v, v), c2, v, y };
}

/** Its minimum over the best size (NaN where it opens downwards), and whether that lies among the sizes. */
function parabolaBias(alpha, beta, width, n, centre) {
  const { c1, c2 } = parabola(alpha, beta, width, n, centre);
  const lowest = c2 > 0 ? -c1 / (2 * c2) : NaN;
  return { bias: centre * Math.exp(lowest), inside: Math.abs(lowest) < Math.log(width) };
}

/** Centres that move evenly from the first budget to the last: the minima, and a line through those inside. */
function gridStudy({ alpha, beta, width, first, last, n, budgets, flops }) {
  const centres = spaced(first, last, budgets.length);
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
  return Math.abs(off) < 0.005 ? "at" : `${number(Math.abs(off), 2)} % ${off > 0 ? more : less}`;
};

scalingFigures.register("grid", (figure, { budgets, flops, note }) => {
  const law = figure.panel("The law"), grid = figure.panel("The grid of sizes");
  const exponent = { min: 0.05, max: 0.8, step: 0.005 };
  const centre = { min: 0.2, max: 5, log: true, words: number, unit: "times the best size" };
  law.range({ key: "alpha", label: "Exponent α of the size", ...exponent });
  law.range({ key: "beta", label: "Exponent β of the tokens", ...exponent });
  grid.range({ ...centre, key: "width", label: "Half-width", unit: "times its centre, up and down", min: 1.5, max: 32 });
  grid.range({ key: "first", label: "Centre at the smallest budget", ...centre });
  grid.range({ key: "last", label: "Centre at the largest budget", ...centre });
  grid.range({ key: "n", label: "Sizes at each budget", min: 4, max: 25, step: 1 });
  grid.note(note);
  const answer = figure.output(), floor = figure.plot(), minima = figure.plot({ aspect: 0.42 });

  figure.onChange(() => {
    const set = figure.values(), alike = set.first === set.last;
    const study = gridStudy({ ...set, budgets, flops }), { points } = study;
    drawValley(floor, set, alike ? [points[0]] : [points[0], points.at(-1)]);
    drawMinima(minima, study, flops);
    const lost = points.length - study.used.length;
    answer.say(sentence(study, alike, flops), lost ? ` At ${lost} of ${points.length} budgets the parabola has no ` +
      "minimum among the sizes tried: they are left out (hollow)." : "");
  });
});

function sentence({ used, truth, a, factor }, alike, flops) {
  if (!a) return "Fewer than two minima: no line, and no answer.";
  const [begin, end] = [used[0], used.at(-1)], off = away(begin.bias, "above", "below");
  if (alike) {
    return `The parabola is lowest ${off} the best size. It is so at every budget, and therefore the exponent a is ` +
      `right: ${a.toFixed(3)}.`;
  }
  return `The parabola is lowest ${off} the best size at ${power(begin.flops)} FLOP and ` +
    `${away(end.bias, "above", "below")} it at ${power(end.flops)}. So the exponent a comes out as ${a.toFixed(3)} ` +
    `instead of ${truth.toFixed(3)}, and the size for ${power(flops)} FLOP ${away(factor, "too large", "too small")}.`;
}

function drawValley(plot, { alpha, beta, width, n }, ends) {
  const centres = [1, ...ends.map((end) => end.centre)];
  const from = Math.min(...centres) / width / 1.3, to = Math.max(...centres) * width * 1.3;
  const fits = ends.map(({ centre }) => parabola(alpha, beta, width, n, centre));
  const top = Math.max(...fits.flatMap((fit) => fit.y)), across = spaced(from, to, 120);
  const loss = across.map((x) => [x, valley(alpha, beta, Math.log(x))]);
  plot.draw({
    x: { from, to, log: true, title: "Size over the best size", format: number },
    y: { from: -0.2 * top, to: 1.15 * top, title: "Loss above the floor, over the data term" },
    marks: [{ kind: "rule", x: 1, colour: "quiet", label: "best size" },
      { kind: "line", points: loss, label: "loss", at: 0.07 }, ...ends.flatMap(({ centre, bias }, k) => {
        const { c0, c1, c2, v, y } = fits[k], colour = 2 + k;
        const curve = (x) => [x, c0 + c1 * Math.log(x / centre) + c2 * Math.log(x / centre) ** 2];
        const label = `parabola${ends[1] ? `, ${["smallest", "largest"][k]} budget` : ""}`;
        return [{ kind: "line", points: across.map(curve), dash: true, colour, label, at: 0.95 },
          { kind: "points", colour, points: v.map((x, i) => [centre * Math.exp(x), y[i]]), radius: 3 },
          { kind: "points", colour, points: [curve(bias)], radius: 6, hollow: true },
          { kind: "words", colour, points: [[bias, -0.14 * top]], label: "lowest here" }];
      })],
  });
}

function drawMinima(plot, { points, at }, flops) {
  const off = (C, ratio) => [C, 100 * (ratio - 1)];
  const [inside, outside] = [true, false].map((kind) => (
    points.filter((p) => p.inside === kind && p.bias).map((p) => off(p.flops, p.bias))));
  const ends = at ? spaced(points[0].flops, flops, 50).map((C) => off(C, at(C))) : [];
  const all = [...inside, ...outside, ...ends, [0, 2], [0, -2]].map((pair) => pair[1]);
  const low = Math.min(...all), high = Math.max(...all), room = 0.15 * (high - low);
  plot.draw({
    x: { from: points[0].flops / 2, to: flops * 2, log: true, title: "Budget [FLOP]" },
    y: { from: low - room, to: high + room, title: "Size found, % off the best size" },
    marks: [{ kind: "rule", y: 0, colour: "quiet", label: "best size" },
      { kind: "line", points: ends, dash: true, colour: 2 },
      { kind: "points", points: inside, colour: 2, label: "lowest points", at: 0 },
      { kind: "points", points: outside, colour: 2, hollow: true },
      { kind: "points", points: ends.slice(-1), colour: 6, label: "followed further" }],
  });
}
})();

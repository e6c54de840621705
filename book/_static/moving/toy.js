/* A known law, its losses noisy and rounded, fitted by three approaches and followed far beyond the runs. */
(() => {
"use strict";
const { formulas, words: { number, count, short, flops: power } } = scalingFigures;

const { mean, centred, dot, spaced } = formulas;
const groups = (runs, key) => [...new Set(runs.map(key))].map((each) => runs.filter((run) => key(run) === each));

/** Every size with every number of tokens: the loss with noise in thousandths of a nat, as a table prints it. */
function toyRuns({ law, sizes, tokens, noise, decimals, seed }) {
  const { normal } = scalingFigures.random(seed), unit = 10 ** decimals;
  return sizes.flatMap((N, i) => tokens.map((D, j) => {
    const loss = formulas.loss(law, N, D) + (noise / 1000) * normal();
    return { N, D, C: 6 * N * D, i, j, loss: Math.round(loss * unit) / unit };
  }));
}

/** A line of ln N in ln C through best sizes {C, N}; null where there are too few or all are one. */
function frontier(points) {
  if (new Set(points.map((each) => each.N)).size < 2) return null;
  const line = formulas.line(points.map((each) => Math.log(each.C)), points.map((each) => Math.log(each.N)));
  return { a: line.slope, best: (C) => Math.exp(line.at(Math.log(C))) };
}

/** Approach 1: the last losses of a size are its curve; whose is lowest at each of many budgets?
 * A budget counts where that size is neither the smallest nor the largest of those in question. */
function envelope(runs, budgets = 200) {
  const curves = groups(runs, (run) => run.i), sizes = curves.map((curve) => curve[0].N);
  const found = spaced(curves[2][0].C, curves.at(-3).at(-1).C, budgets).map((C) => {
    const there = curves.filter((curve) => curve[0].C <= C && C <= curve.at(-1).C);
    const losses = there.map((curve) => {
      const k = Math.min(curve.findLastIndex((run) => run.C <= C), curve.length - 2), [one, two] = curve.slice(k);
      return one.loss + ((two.loss - one.loss) * Math.log(C / one.C)) / Math.log(two.C / one.C);
    });
    const k = losses.indexOf(Math.min(...losses));
    return { C, N: there[k][0].N, inside: k > 0 && k < there.length - 1 };
  });
  const begin = found.findLastIndex((each) => each.N === sizes[0]) + 1;
  const end = found.findIndex((each) => each.N === sizes.at(-1));
  return frontier(found.slice(begin, end < 0 ? budgets : end).filter((each) => each.inside));
}

/** Approach 2: at each budget with four sizes a parabola in ln N, and its minimum where it lies among them.
 * Sizes and tokens double: runs on a diagonal have equal compute, and their ln N are evenly spaced. */
function parabolas(runs) {
  return frontier(groups(runs, (run) => run.i + run.j).filter((group) => group.length > 3).map((group) => {
    const v = centred(group.map((run) => Math.log(run.N))), bent = centred(v.map((x) => x * x));
    const y = group.map((run) => run.loss), c2 = dot(bent, y) / dot(bent, bent);
    const lowest = -dot(v, y) / dot(v, v) / (2 * c2), middle = Math.sqrt(group[0].N * group.at(-1).N);
    return { C: group[0].C, N: middle * Math.exp(lowest), inside: c2 > 1e-9 && Math.abs(lowest) < v.at(-1) };
  }).filter((each) => each.inside));
}

/** Approach 3: least squares of E + A/N^alpha + B/D^beta, E of any sign. Every size has every number of tokens, so
 * each term is fitted alone, to means over the other: a line, its exponent sought on finer and finer grids. */
function parametric(runs) {
  const average = (of) => mean(of.map((run) => run.loss));
  const [size, data] = [["i", "N"], ["j", "D"]].map(([index, key]) => {
    const rows = groups(runs, (run) => run[index]), y = centred(rows.map(average)), unit = rows[0][0][key];
    const tried = (exponent) => {
      const x = rows.map((row) => (row[0][key] / unit) ** -exponent), v = centred(x), slope = dot(v, y) / dot(v, v);
      const left = v.map((each, k) => y[k] - slope * each);
      return { exponent, sum: dot(left, left), scale: slope * unit ** exponent, mean: slope * mean(x) };
    };
    let around = [0.01, 2].map(tried);
    for (let round = 0; round < 12; round++) {
      const grid = spaced(around[0].exponent, around.at(-1).exponent, 21).map(tried), sums = grid.map((each) => each.sum);
      const k = sums.indexOf(Math.min(...sums));
      around = grid.slice(Math.max(0, k - 1), k + 2);
    }
    return around[1];
  });
  const law = { E: average(runs) - size.mean - data.mean, A: size.scale, B: data.scale, alpha: size.exponent,
    beta: data.exponent };
  return law.A > 0 && law.B > 0 ? { law, best: (C) => formulas.optimum(law, C).params } : null;
}

/** One table, the runs of sizes number `from` to `to` of it, and what the approaches make of them. */
function toyStudy({ from, to, ...setting }) {
  const runs = toyRuns(setting), kept = runs.filter((run) => run.i >= from && run.i <= to);
  return { runs, kept, fits: [envelope(kept), parabolas(kept), parametric(kept)] };
}

Object.assign(formulas, { toyRuns, envelope, parabolas, parametric, toyStudy });

const NAMES = ["envelope", "parabola", "law"];
const named = (k) => `approach ${k + 1}, ${NAMES[k]}`;

scalingFigures.register("toy", (figure, { law, sizes, tokens, draws, note }) => {
  const table = figure.panel("The table of losses"), fitted = figure.panel("The runs that are fitted");
  const options = sizes.map((size, i) => ({ value: String(i), label: short(size) }));
  table.range({ key: "decimals", label: "Decimals of the loss", min: 1, max: 5, step: 1 });
  table.range({ key: "noise", label: "Noise", unit: "thousandths of a nat", min: 0, max: 20, step: 0.5 });
  const seed = table.range({ key: "seed", label: "Seed of the noise", min: 1, max: 999, step: 1 });
  table.button("Draw again", () => seed.set(seed.get() % 999 + 1));
  fitted.choice({ key: "from", label: "Smallest model", options });
  fitted.choice({ key: "to", label: "Largest model", options });
  fitted.range({ key: "flops", label: "Followed to a budget of", unit: "FLOP", min: 1e21, max: 1e27, log: true });
  fitted.note(note);
  const answer = figure.output(), warning = figure.output("warning");
  const fan = figure.plot(), strip = figure.plot({ aspect: 0.36, least: 200 });

  figure.onChange(() => {
    const set = figure.values(), C = set.flops, ends = [Number(set.from), Number(set.to)];
    const from = Math.min(...ends, sizes.length - 3), to = Math.max(...ends, from + 2);
    const best = (budget) => formulas.optimum(law, budget).params;
    const off = (fit, budget) => (fit ? fit.best(budget) / best(budget) : NaN);
    const study = (seed) => toyStudy({ ...set, law, sizes, tokens, from, to, seed });
    const now = study(set.seed), mine = now.fits.map((fit) => off(fit, C));
    const others = Array.from({ length: draws }, (_, k) => study(1000 + k).fits.map((fit) => off(fit, C)));
    const thirds = others.map((each) => each[2]).filter(Number.isFinite);
    const found = mine.map((ratio, k) => ratio && `${number(ratio, 2)} (${named(k)})`).filter(Boolean);
    answer.say(`From ${now.kept.length} runs of models of ${short(sizes[from])} to ${short(sizes[to])}, the best size ` +
      `at ${power(C)} FLOP, in truth ${count(best(C))}, comes out ${found.join(", ")} times as large. ` +
      (set.noise ? `In ${draws} other draws of the noise, approach 3 gives ${number(Math.min(...thirds), 2)} to ` +
        `${number(Math.max(...thirds), 2)} times.` : "Without noise, only the rounding is left."));
    warning.say(found.length > 2 ? "" : `No answer by ${[0, 1, 2].filter((k) => !mine[k]).map(named).join(" and ")}: ` +
      "more sizes are needed. ", now.fits[2]?.law.E < 0 ? "Approach 3 has E below zero: the runs settle no law." : "");

    const ratios = [mine, ...others].flat().filter(Boolean);
    const wide = 1.25 * Math.min(60, Math.max(4, ...ratios, 1 / Math.min(...ratios)));
    const over = { from: 1 / wide, to: wide, log: true, format: number };
    const begin = now.runs[0].C, truth = { kind: "rule", colour: 6, dash: false };
    const dots = (runs, colour, label, height) => [
      { kind: "points", points: runs.map((run) => [run.C, run.N / best(run.C)]), colour, radius: 2 },
      { kind: "words", points: [[begin, wide ** height]], colour, label }];
    fan.draw({
      x: { from: begin / 2, to: C * 300, log: true, title: "Compute [FLOP]" },
      y: { ...over, title: "Size over the true best size" },
      marks: [...dots(now.runs, "quiet", "other runs", 0.75), ...dots(now.kept, 1, "fitted runs", -0.8),
        { kind: "rule", x: C, colour: "quiet" }, { ...truth, y: 1, label: "truth" },
        ...now.fits.flatMap((fit, k) => (fit ? [
          { kind: "line", points: spaced(begin, C, 50).map((each) => [each, off(fit, each)]), colour: k + 2, dash: true },
          { kind: "points", points: [[C, mine[k]]], colour: k + 2, radius: 5, label: `${k + 1}, ${NAMES[k]}` }] : []))],
    });
    strip.draw({
      x: { ...over, title: `Best size at ${power(C)} FLOP over the true one` },
      y: { from: 3.7, to: 0.5, ticks: [1, 2, 3], title: "By approach: this draw (full), others (hollow)" },
      marks: [{ ...truth, x: 1 }, ...mine.flatMap((ratio, k) => [
        { kind: "points", hollow: true, radius: 3.5, colour: k + 2, points: others.map((each) => [each[k], k + 1]) },
        { kind: "points", radius: 6, colour: k + 2, points: [[ratio, k + 1]] }])],
    });
  });
});
})();

/* One law, counted with and without the embeddings: the exponent of the best size. */
(() => {
"use strict";
const { formulas, words: { count, short } } = scalingFigures;
const { spaced } = formulas;

/** omega of N = n + omega n^delta: width d and d / aspect layers, so many tokens in the vocabulary. */
function omega(vocabulary, aspect) {
  return vocabulary * Math.cbrt(aspect / 12);
}

/** n parameters without embeddings, or all of them. */
function counted(n, { omega, delta }, all) {
  return n + (all ? omega * n ** delta : 0);
}

/** The compute, by either count, at which n parameters without embeddings are the best size. */
function countedFlops(law, n, model, all) {
  const total = counted(n, model, true), pull = law.beta * law.B / (law.alpha * law.A) * total ** law.alpha;
  const share = all ? 1 : total / (n + model.delta * (total - n));
  return 6 * counted(n, model, all) * (pull * share) ** (1 / law.beta);
}

/** d ln (best size) / d ln (compute) by either count. */
function localExponent(law, n, { omega, delta }, all) {
  if (all) return law.beta / (law.alpha + law.beta);
  const rest = omega * n ** delta, pulled = n + delta * rest;
  return 1 / (1 + ((1 + law.alpha) * pulled / (n + rest) - (n + delta * delta * rest) / pulled) / law.beta);
}

/** Sizes between two ends, the best of them at each budget, and a straight line through these in logarithms. */
function countStudy(law, smallest, largest, model, all, sizes = 20, budgets = 100) {
  const inner = spaced(smallest, largest, sizes), [total, seen] = [true, all].map((each) => (
    inner.map((n) => counted(n, model, each))));
  const flops = spaced(countedFlops(law, smallest, model, all), countedFlops(law, largest, model, all), budgets);
  const params = flops.map((C) => {
    const losses = total.map((N, i) => formulas.sum(law, N, C / (6 * seen[i])));
    return seen[losses.indexOf(Math.min(...losses))];
  });
  return { flops, params, ...formulas.line(flops.map(Math.log), params.map(Math.log)) };
}

Object.assign(formulas, { omega, countedFlops, localExponent, countStudy });

const named = (all) => (all ? "with embeddings" : "without embeddings");

scalingFigures.register("count", (figure, { laws, aspect, delta, models, note }) => {
  const counts = figure.panel("What is counted"), study = figure.panel("The study: sizes without embeddings");
  const size = { log: true, min: 100, max: 1e12, words: short };
  counts.check({ key: "all", label: "Count the embeddings, in parameters and in compute" });
  counts.range({ key: "vocabulary", label: "Vocabulary", unit: "tokens", min: 256, max: 262144, log: true,
    words: short });
  study.range({ key: "smallest", label: "Smallest model", ...size });
  study.range({ key: "largest", label: "Largest model", ...size });
  study.choice({ key: "law", label: "The law of all parameters", value: laws[0].value, options: laws });
  study.note(note);
  const answer = figure.output(), exponents = figure.plot(), sizes = figure.plot();

  figure.onChange(() => {
    const set = figure.values(), { all } = set, law = laws.find((each) => each.value === set.law);
    const model = { omega: omega(set.vocabulary, aspect), delta };
    const from = Math.min(set.smallest, set.largest), to = Math.max(set.smallest, set.largest, from * 2);
    const local = (n, every) => localExponent(law, n, model, every);
    const [without, whole] = [false, true].map((every) => countStudy(law, from, to, model, every, models));
    const { slope, flops, at } = all ? whole : without;
    const range = spaced(from, to, 200).map((n) => local(n, all));
    const [least, most] = [Math.min(...range).toFixed(2), Math.max(...range).toFixed(2)];
    answer.say(`From ${count(from, 2)} to ${count(to, 2)} parameters, a straight line has the best size grow as ` +
      `compute to the power of ${without.slope.toFixed(2)} without embeddings, and of ${whole.slope.toFixed(2)} with ` +
      `them. The law is the same. Counted ${named(all)}, its exponent in this study is ` +
      (least === most ? `${least} at every size` : `anything from ${least} to ${most}`) +
      `. Embeddings are half of a model of ${count(2 * model.omega ** (1 / (1 - delta)))} parameters.`);

    const wide = spaced(100, 1e12, 160), area = { kind: "area", colour: "quiet", label: "the study" };
    const curve = (every, look) => ({ kind: "line", points: wide.map((n) => [n, local(n, every)]),
      label: named(every), at: every ? 0.02 : 0.62, ...look });
    exponents.draw({
      x: { from: 100, to: 1e12, log: true, title: "Parameters without embeddings", format: short },
      y: { from: 0.3, to: 1.05, title: "Local exponent of the best size" },
      marks: [{ ...area, x: [from, to] }, curve(!all, { colour: "quiet" }), curve(all, { width: 3 }),
        { kind: "rule", y: slope, colour: 2, label: `straight line, ${slope.toFixed(2)}` }],
    });

    const [begin, end] = [flops[0], flops.at(-1)], low = counted(from, model, all);
    const straight = spaced(begin, end * 1e3, 30).map((C) => [C, Math.exp(at(Math.log(C)))]);
    sizes.draw({
      x: { from: begin, to: end * 1e3, log: true, title: `Compute ${named(all)} [FLOP]` },
      y: { from: low / 3, to: straight[29][1] * 3, log: true, title: `Best size ${named(all)}`, format: short },
      marks: [{ ...area, x: [begin, end] },
        { kind: "line", points: wide.map((n) => [countedFlops(law, n, model, all), counted(n, model, all)]), width: 3 },
        { kind: "words", points: [[Math.sqrt(begin * end), low * (to / from) ** 0.2]], label: "best size" },
        { kind: "line", points: straight, colour: 2, dash: true, label: "straight line", at: 0.97 }],
    });
  });
});
})();

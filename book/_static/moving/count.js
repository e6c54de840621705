/* One law, counted with and without the embeddings: the exponent of the best size. */
(function () {
  "use strict";
  const { formulas, words: { count, short } } = scalingFigures;
  const { spaced } = formulas;

  /** omega of N = n + omega n^delta: width d and d / aspect layers, so many tokens in the vocabulary. */
  function omega(vocabulary, aspect) {
    return vocabulary * Math.cbrt(aspect / 12);
  }

  /** The compute, by either count, at which n parameters without embeddings are the best size. */
  function countedFlops(law, n, { omega, delta }, everything) {
    const rest = omega * n ** delta, total = n + rest;
    const level = Math.log((law.beta * law.B) / (law.alpha * law.A));
    if (everything) return 6 * total * Math.exp((level + law.alpha * Math.log(total)) / law.beta);
    return 6 * n * Math.exp((level + (1 + law.alpha) * Math.log(total) - Math.log(n + delta * rest)) / law.beta);
  }

  /** d ln (best size) / d ln (compute) by either count. */
  function localExponent(law, n, { omega, delta }, everything) {
    if (everything) return law.beta / (law.alpha + law.beta);
    const rest = omega * n ** delta, pulled = n + delta * rest;
    return 1 / (1 + ((1 + law.alpha) * pulled / (n + rest) - (n + delta * delta * rest) / pulled) / law.beta);
  }

  /** Sizes between two ends, the best of them at each budget, and a straight line through these in logarithms. */
  function countStudy(law, smallest, largest, model, everything, sizes = 20, budgets = 100) {
    const inner = spaced(smallest, largest, sizes);
    const total = inner.map((n) => n + model.omega * n ** model.delta);
    const counted = everything ? total : inner;
    const flops = spaced(...[smallest, largest].map((n) => countedFlops(law, n, model, everything)), budgets);
    const params = flops.map((C) => {
      const losses = total.map((N, i) => formulas.sum(law, N, C / (6 * counted[i])));
      return counted[losses.indexOf(Math.min(...losses))];
    });
    return { flops, params, ...formulas.line(flops.map(Math.log), params.map(Math.log)) };
  }

  Object.assign(formulas, { omega, countedFlops, localExponent, countStudy });

  const NAMES = ["without embeddings", "with embeddings"];

  scalingFigures.register("count", (figure, { laws, vocabulary, aspect, delta, smallest, largest, models }) => {
    const counts = figure.panel("What is counted"), study = figure.panel("The study: sizes without embeddings");
    const size = { log: true, min: 100, max: 1e12, words: short };
    counts.choice({ key: "count", label: "Parameters and compute", value: "0",
      options: NAMES.map((label, value) => ({ value: String(value), label })) });
    counts.range({ key: "vocabulary", label: "Vocabulary", unit: "tokens", value: vocabulary, min: 256, max: 262144,
      log: true, words: short });
    study.range({ key: "smallest", label: "Smallest model", value: smallest, ...size });
    study.range({ key: "largest", label: "Largest model", value: largest, ...size });
    study.choice({ key: "law", label: "The law of all parameters", value: laws[0].value, options: laws });
    study.note(`Computed from a published law: nothing was trained, and there is no noise. ${models} sizes; width over ` +
      "depth as in Pearce and Song (2024).");
    const answer = figure.output(), exponents = figure.plot(), sizes = figure.plot();

    figure.onChange(() => {
      const set = figure.values(), law = laws.find((each) => each.value === set.law), chosen = Number(set.count);
      const model = { omega: omega(set.vocabulary, aspect), delta };
      const from = Math.min(set.smallest, set.largest / 2), to = Math.max(set.largest, from * 2);
      const local = (n, which) => localExponent(law, n, model, which === 1);
      const studies = [0, 1].map((which) => countStudy(law, from, to, model, which === 1, models));
      const said = studies.map((each) => each.slope.toFixed(2)), { slope, flops, at } = studies[chosen];
      const range = spaced(from, to, 200).map((n) => local(n, chosen));
      const [least, most] = [Math.min(...range).toFixed(2), Math.max(...range).toFixed(2)];
      const spread = least === most ? `${least} at every size` : `anything from ${least} to ${most}`;
      answer.say(`From ${count(from, 2)} to ${count(to, 2)} parameters, a straight line has the best size grow as ` +
        `compute to the power of ${said[0]} without embeddings, and of ${said[1]} with them. The law is the same. ` +
        `Counted ${NAMES[chosen]}, its exponent in this study is ${spread}. Embeddings are half of a model of ` +
        `${count(2 * model.omega ** (1 / (1 - delta)))} parameters.`);

      const wide = spaced(100, 1e12, 160), area = { kind: "area", colour: "quiet", label: "the study" };
      const curve = (which, look) => ({ kind: "line", points: wide.map((n) => [n, local(n, which)]), label: NAMES[which],
        at: which ? 0.02 : 0.62, ...look });
      exponents.draw({
        x: { from: 100, to: 1e12, log: true, title: "Parameters without embeddings", format: short },
        y: { from: 0.3, to: 1.05, title: "Local exponent of the best size" },
        marks: [{ ...area, x: [from, to] }, curve(1 - chosen, { colour: "quiet" }), curve(chosen, { width: 3 }),
          { kind: "rule", y: slope, colour: 2, label: `straight line, ${said[chosen]}` }],
        words: `The local exponent against the size: ${spread} within the study`,
      });

      const counted = (n) => (chosen ? n + model.omega * n ** delta : n), [begin, end] = [flops[0], flops.at(-1)];
      const straight = spaced(begin, end * 1e3, 30).map((C) => [C, Math.exp(at(Math.log(C)))]);
      sizes.draw({
        x: { from: begin, to: end * 1e3, log: true, title: `Compute ${NAMES[chosen]} [FLOP]` },
        y: { from: counted(from) / 3, to: straight[29][1] * 3, log: true, title: `Best size ${NAMES[chosen]}`,
          format: short },
        marks: [{ ...area, x: [begin, end] },
          { kind: "line", points: wide.map((n) => [countedFlops(law, n, model, chosen === 1), counted(n)]), width: 3 },
          { kind: "line", points: [[Math.sqrt(begin * end), counted(from) * (to / from) ** 0.2]], label: "best size" },
          { kind: "line", points: straight, colour: 2, dash: true, label: "straight line", at: 0.97 }],
        words: "The best size against compute, and the straight line followed to a thousand times the study's compute",
      });
    });
  });
})();

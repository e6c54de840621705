/* One law, counted with and without the embeddings: the exponent of the best size. */
(function () {
  "use strict";
  const { formulas, words } = scalingFigures;

  const spaced = (low, high, n) => Array.from({ length: n }, (_, i) => low * (high / low) ** (i / (n - 1)));

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
  function countStudy(law, smallest, largest, model, everything, sizes = 200, budgets = 100) {
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

  scalingFigures.register("count", function (figure, { laws, vocabulary, aspect, delta, smallest, largest }) {
    const counts = figure.panel("What is counted");
    const count = counts.choice({ key: "count", label: "Parameters and compute", value: "without", options: [
      { value: "without", label: "without embeddings, as Kaplan et al." },
      { value: "with", label: "with embeddings, as Hoffmann et al." }] });
    const tokens = counts.range({ key: "vocabulary", label: "Vocabulary", unit: "tokens", value: vocabulary, min: 256,
      max: 262144, log: true, words: words.count });
    const study = figure.panel("The study");
    const size = { log: true, min: 100, max: 1e12, unit: "parameters without embeddings", words: words.short };
    const low = study.range({ key: "smallest", label: "Smallest model", value: smallest, ...size });
    const high = study.range({ key: "largest", label: "Largest model", value: largest, ...size });
    const truth = study.choice({ key: "law", label: "The law behind it, of all parameters", value: laws[0].key,
      options: laws.map(({ key, label }) => ({ value: key, label })) });
    study.note("Computed from a published law, without runs or noise; width over depth as in Pearce and Song (2024).");
    const answer = figure.output(), exponents = figure.plot(), sizes = figure.plot();

    figure.onChange(() => {
      const law = laws.find(({ key }) => key === truth.get());
      const everything = count.get() === "with", model = { omega: omega(tokens.get(), aspect), delta };
      const from = Math.min(low.get(), high.get() / 2), to = Math.max(high.get(), from * 2);
      const both = [false, true].map((each) => countStudy(law, from, to, model, each));
      const shown = both[Number(everything)];
      const range = spaced(from, to, 200).map((n) => localExponent(law, n, model, everything));
      const [least, most] = [Math.min(...range).toFixed(2), Math.max(...range).toFixed(2)];
      answer.say(`Over models from ${words.count(from)} to ${words.count(to)}, a straight line says that the best size ` +
        `grows as compute to the ${both[0].slope.toFixed(2)} without embeddings, and to the ` +
        `${both[1].slope.toFixed(2)} with them. The law is the same. By the chosen count the exponent is ` +
        (least === most ? `${least} at every size.` : `anything from ${least} to ${most} within the study.`) +
        ` Half of all parameters are embeddings at ${words.count(model.omega ** (1 / (1 - delta)))} without them.`);

      const wide = spaced(100, 1e12, 160);
      const curve = (all) => wide.map((n) => [n, localExponent(law, n, model, all)]);
      exponents.draw({
        x: { from: 100, to: 1e12, log: true, title: "Parameters without embeddings", format: (n) => words.short(n) },
        y: { from: 0.3, to: 1.05, title: "Local exponent of the best size" },
        marks: [{ kind: "area", x: [from, to], colour: "quiet", label: "the study" },
          { kind: "line", points: curve(!everything), colour: "quiet",
            label: everything ? "without embeddings" : "with embeddings", at: everything ? 0.55 : 0.05 },
          { kind: "line", points: curve(everything), colour: 1, width: 3,
            label: everything ? "with embeddings" : "without embeddings", at: everything ? 0.05 : 0.55 },
          { kind: "rule", y: shown.slope, colour: 2, label: `straight line: ${shown.slope.toFixed(2)}` }],
        words: `The local exponent against the size; within the study from ${least} to ${most}`,
      });

      const counted = (n) => (everything ? n + model.omega * n ** delta : n);
      const best = wide.map((n) => [countedFlops(law, n, model, everything), counted(n)]);
      const [begin, end] = [shown.flops[0], shown.flops.at(-1) * 1e3];
      const straight = [begin, end].map((C) => [C, Math.exp(shown.at(Math.log(C)))]);
      sizes.draw({
        x: { from: begin, to: end, log: true, title: "Compute by the chosen count [FLOP]" },
        y: { from: counted(from) / 3, to: straight[1][1] * 3, log: true, title: "Best size by the chosen count",
          format: (n) => words.short(n) },
        marks: [{ kind: "area", x: [begin, end / 1e3], colour: "quiet", label: "the study" },
          { kind: "line", points: best, colour: 1, width: 3, label: "best size", at: 0.7 },
          { kind: "line", points: straight, colour: 2, dash: true, label: "straight line", at: 1 }],
        words: "The best size against compute, and the study's straight line followed to a thousand times its compute",
      });
    });
  });
})();

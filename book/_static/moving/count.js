// One law, counted with and without the embeddings: the local exponent of the best size.
(() => {
  "use strict";
  const figures = (window.scalingFigures ||= {});
  const formulas = (figures.formulas ||= {});

  const spaced = (low, high, n) => Array.from({ length: n }, (_, i) => low * (high / low) ** (i / (n - 1)));

  // omega of N = n + omega n^delta for models of width d and d / aspect layers, with V tokens in the vocabulary.
  formulas.omega = (vocabulary, aspect) => vocabulary * Math.cbrt(aspect / 12);
  formulas.embeddingShare = (n, { omega, delta }) => omega * n ** delta / (n + omega * n ** delta);

  // The compute, without embeddings or with them, at which a size of n parameters without embeddings is the best.
  formulas.countedFlops = (law, n, { omega, delta }, everything) => {
    const rest = omega * n ** delta, total = n + rest;
    const level = Math.log((law.beta * law.B) / (law.alpha * law.A));
    if (everything) return 6 * total * Math.exp((level + law.alpha * Math.log(total)) / law.beta);
    return 6 * n * Math.exp((level + (1 + law.alpha) * Math.log(total) - Math.log(n + delta * rest)) / law.beta);
  };

  // d ln of the best size / d ln of the compute, both in one way of counting.
  formulas.localExponent = (law, n, { omega, delta }, everything) => {
    if (everything) return law.beta / (law.alpha + law.beta);
    const rest = omega * n ** delta;
    const first = (n + delta * rest) / (n + rest), second = (n + delta * delta * rest) / (n + delta * rest);
    return 1 / (1 + ((1 + law.alpha) * first - second) / law.beta);
  };

  // A study: sizes between two ends, the best of them at each budget, and a straight line through these in logarithms.
  formulas.countStudy = (law, smallest, largest, model, everything, sizes = 200, budgets = 100) => {
    const inner = spaced(smallest, largest, sizes);
    const total = inner.map((n) => n + model.omega * n ** model.delta);
    const counted = everything ? total : inner;
    const [low, high] = [smallest, largest].map((n) => formulas.countedFlops(law, n, model, everything));
    const flops = spaced(low, high, budgets);
    const loss = (i, C) => law.A * total[i] ** -law.alpha + law.B * (C / (6 * counted[i])) ** -law.beta;
    const params = flops.map((C) => counted.reduce((best, _, i) => (loss(i, C) < loss(best, C) ? i : best), 0));
    const best = params.map((i) => counted[i]);
    const line = formulas.lineThrough(flops.map(Math.log), best.map(Math.log));
    return { flops, params: best, slope: line.slope, line };
  };
})();

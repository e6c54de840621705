// Approach 2 without noise: a grid of sizes at each budget, and how far its parabola misses the best size.
(() => {
  "use strict";
  const figures = (window.scalingFigures ||= {});
  const formulas = (figures.formulas ||= {});

  const evenly = (low, high, n) => Array.from({ length: n }, (_, i) => low + (i / (n - 1)) * (high - low));

  // The valley above its floor, in units of the data term there, at N = N* e^x.
  formulas.valley = (alpha, beta, x) => (beta / alpha) * Math.expm1(-alpha * x) + Math.expm1(beta * x);

  // Least squares of c0 + c1 v + c2 v² over a grid of n sizes from centre / width to centre · width, v = ln(N / centre).
  formulas.parabola = (alpha, beta, width, n, centre) => {
    const v = evenly(-Math.log(width), Math.log(width), n);
    const y = v.map((each) => formulas.valley(alpha, beta, each + Math.log(centre)));
    const sum = (of) => v.reduce((total, each, i) => total + of(each, y[i]), 0);
    const v2 = sum((x) => x * x), v4 = sum((x) => x ** 4), all = sum((x, l) => l), bent = sum((x, l) => x * x * l);
    const c2 = (n * bent - v2 * all) / (n * v4 - v2 * v2);
    return { c0: (all - c2 * v2) / n, c1: sum((x, l) => x * l) / v2, c2, v, y };
  };

  // Its minimum over the true best size (NaN where it opens downwards), and whether it lies among the sizes.
  formulas.parabolaBias = (alpha, beta, width, n, centre) => {
    const { c1, c2 } = formulas.parabola(alpha, beta, width, n, centre);
    const lowest = c2 > 0 ? -c1 / (2 * c2) : NaN;
    return { bias: centre * Math.exp(lowest), inside: Math.abs(lowest) < Math.log(width) };
  };

  // Budgets whose centres move evenly from the first to the last: the minima, the fitted exponent a, and the factor
  // by which the line through the minima that are inside misses the best size at a larger budget.
  formulas.gridStudy = ({ alpha, beta, width, first, last, n, budgets, flops }) => {
    const centres = evenly(Math.log(first), Math.log(last), budgets.length).map(Math.exp);
    const points = centres.map((centre, i) => {
      return { flops: budgets[i], centre, ...formulas.parabolaBias(alpha, beta, width, n, centre) };
    });
    const used = points.filter((point) => point.inside);
    const truth = beta / (alpha + beta);
    if (used.length < 2) return { points, used, truth, a: NaN, factor: NaN };
    const line = formulas.lineThrough(used.map((p) => Math.log(p.flops)), used.map((p) => Math.log(p.bias)));
    return { points, used, truth, a: truth + line.slope, factor: Math.exp(line.at(Math.log(flops))) };
  };

  formulas.lineThrough = (x, y) => {
    const mean = (of) => of.reduce((a, b) => a + b, 0) / of.length;
    const mx = mean(x), my = mean(y);
    const slope = x.reduce((s, xi, i) => s + (xi - mx) * (y[i] - my), 0) / x.reduce((s, xi) => s + (xi - mx) ** 2, 0);
    return { slope, at: (where) => my + slope * (where - mx) };
  };
})();

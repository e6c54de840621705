// A known law, its losses rounded and made noisy, fitted by three approaches and followed far beyond the runs.
(() => {
  "use strict";
  const figures = (window.scalingFigures ||= {});
  const formulas = (figures.formulas ||= {});

  const dot = (a, b) => a.reduce((sum, each, i) => sum + each * b[i], 0);

  // Uniform numbers from a seed (mulberry32), and from them standard normal ones (Box and Muller).
  const normals = (seed, n) => {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
  };

  // Every size with every number of tokens: the loss with noise in thousandths of a nat, as a table prints it.
  formulas.toyRuns = ({ law, sizes, tokens, noise, decimals, seed }) => {
    const z = normals(seed, sizes.length * tokens.length), unit = 10 ** decimals;
    return sizes.flatMap((N, i) => tokens.map((D, j) => {
      const loss = law.E + law.A * N ** -law.alpha + law.B * D ** -law.beta;
      const seen = loss + (noise / 1000) * z[i * tokens.length + j];
      return { N, D, i, j, loss: Math.round(seen * unit) / unit };
    }));
  };

  const groups = (runs, key) => [...new Set(runs.map(key))].map((each) => runs.filter((run) => key(run) === each));

  // ln N against ln C, as a best size at any budget; null where the points are too few for a line.
  const frontier = (points) => {
    if (new Set(points.map((p) => p.N)).size < 2) return null;
    const line = formulas.lineThrough(points.map((p) => Math.log(p.C)), points.map((p) => Math.log(p.N)));
    return { points, a: line.slope, best: (C) => Math.exp(line.at(Math.log(C))) };
  };

  // Approach 1: the runs of one size are a curve; which size has the lowest curve at each of many budgets?
  // A budget counts where the winner is neither the smallest nor the largest size that could have won.
  formulas.envelope = (runs, budgets = 200) => {
    const curves = groups(runs, (run) => run.i).map((curve) => ({ N: curve[0].N, x: curve.map((r) => Math.log(6 * r.N * r.D)), y: curve.map((r) => r.loss) }));
    if (curves.length < 3) return null;
    const low = curves[2].x[0], high = curves.at(-3).x.at(-1);
    const at = ({ x, y }, where) => {
      const k = Math.min(x.findLastIndex((each) => each <= where), x.length - 2);
      return y[k] + ((y[k + 1] - y[k]) * (where - x[k])) / (x[k + 1] - x[k]);
    };
    const found = Array.from({ length: budgets }, (_, b) => {
      const where = low + (b / (budgets - 1)) * (high - low);
      const there = curves.filter(({ x }) => x[0] <= where && where <= x.at(-1));
      const losses = there.map((curve) => at(curve, where));
      const winner = losses.indexOf(Math.min(...losses));
      return { C: Math.exp(where), N: there[winner].N, inner: winner > 0 && winner < there.length - 1 };
    });
    const begin = found.findLastIndex((p) => p.N === curves[0].N) + 1;
    const end = found.findIndex((p) => p.N === curves.at(-1).N);
    return frontier(found.slice(begin, end < 0 ? undefined : end).filter((p) => p.inner));
  };

  // Approach 2: runs of equal compute, a parabola of the loss in ln N through each, a line through the minima.
  formulas.parabolas = (runs) => {
    const points = groups(runs, (run) => run.i + run.j).filter((group) => group.length > 3).map((group) => {
      const u = group.map((r) => Math.log(r.N)), centre = dot(u, u.map(() => 1)) / u.length;
      const v = u.map((each) => each - centre);
      const [, c1, c2] = leastSquares([v.map(() => 1), v, v.map((each) => each * each)], group.map((r) => r.loss)).coefficients;
      const lowest = centre - c1 / (2 * c2);
      const inside = c2 > 0 && lowest > Math.min(...u) && lowest < Math.max(...u);
      return { C: 6 * group[0].N * group[0].D, N: Math.exp(lowest), inside };
    });
    return frontier(points.filter((p) => p.inside));
  };

  // Least squares by Gram and Schmidt: coefficients, residuals, and the projection off the columns.
  const leastSquares = (columns, y) => {
    const basis = [], upper = [];
    const off = (vector, parts = []) => basis.reduce((left, q, k) => {
      parts[k] = dot(q, left);
      return left.map((each, i) => each - parts[k] * q[i]);
    }, vector);
    for (const column of columns) {
      const parts = [], left = off(column, parts), length = Math.sqrt(dot(left, left));
      upper.push([...parts, length]);
      basis.push(left.map((each) => each / length));
    }
    const coefficients = [], parts = [], residuals = off(y, parts);
    for (let k = columns.length - 1; k >= 0; k--) {
      const known = coefficients.reduce((sum, c, m) => sum + (c || 0) * (upper[m]?.[k] || 0), 0);
      coefficients[k] = (parts[k] - known) / upper[k][k];
    }
    return { coefficients, residuals, off };
  };

  // Approach 3: least squares of E + A N^-alpha + B D^-beta with E at least 0. Given the exponents it is linear
  // (variable projection), so that only they are sought: on a grid, then by Gauss and Newton's steps.
  formulas.parametric = (runs, [least, most] = [0.01, 2]) => {
    const mean = (x) => dot(x, x.map(() => 1 / x.length));
    const n = runs.map((r) => Math.log(r.N)), d = runs.map((r) => Math.log(r.D)), y = runs.map((r) => r.loss);
    const n0 = mean(n), d0 = mean(d), one = y.map(() => 1);
    const tried = ([alpha, beta]) => {
      const x = n.map((each) => Math.exp(-alpha * (each - n0))), t = d.map((each) => Math.exp(-beta * (each - d0)));
      let fit = leastSquares([one, x, t], y), [E, A, B] = fit.coefficients;
      if (E < 0) [fit, E] = [leastSquares([x, t], y), 0];
      [A, B] = fit.coefficients.slice(-2);
      return { alpha, beta, E, A, B, x, t, ...fit, sum: A > 0 && B > 0 ? dot(fit.residuals, fit.residuals) : Infinity };
    };
    const grid = Array.from({ length: 10 }, (_, k) => 0.03 * 1.6 ** k).flatMap((p, _, all) => all.map((q) => tried([p, q])));
    let now = grid.reduce((best, each) => (each.sum < best.sum ? each : best));
    for (let step = 0; step < 200; step++) {
      const at = [now.alpha, now.beta];
      const slopes = [now.off(now.x.map((x, i) => -now.A * x * (n[i] - n0))), now.off(now.t.map((t, i) => -now.B * t * (d[i] - d0)))];
      const pull = slopes.map((slope) => dot(slope, now.residuals));
      const free = at.map((value, k) => !(pull[k] > 0 ? value >= most : value <= least));
      const [[a, b], [, c]] = slopes.map((p) => slopes.map((q) => dot(p, q)));
      const whole = a * c - b * b;
      const move = free[0] && free[1] ? [(c * pull[0] - b * pull[1]) / whole, (a * pull[1] - b * pull[0]) / whole] : [free[0] ? pull[0] / a : 0, free[1] ? pull[1] / c : 0];
      let next = null;
      for (let share = 1; share > 1e-6 && !next; share /= 2) {
        const to = tried(at.map((value, k) => Math.min(most, Math.max(least, value + share * move[k]))));
        if (to.sum < now.sum) next = to;
      }
      if (!next) break;
      now = next;
    }
    const { alpha, beta, E, sum } = now;
    return { E, A: now.A * Math.exp(alpha * n0), B: now.B * Math.exp(beta * d0), alpha, beta, sum };
  };
})();

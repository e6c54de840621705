/* A known law, its losses noisy and rounded, fitted by three approaches and followed far beyond the runs. */
(function () {
  "use strict";
  const { formulas, words } = scalingFigures;

  const dot = (a, b) => a.reduce((sum, each, i) => sum + each * b[i], 0);
  const mean = (x) => x.reduce((sum, each) => sum + each, 0) / x.length;
  const groups = (runs, key) => [...new Set(runs.map(key))].map((each) => runs.filter((run) => key(run) === each));

  /** Every size with every number of tokens: the loss with noise in thousandths of a nat, as a table prints it. */
  function toyRuns({ law, sizes, tokens, noise, decimals, seed }) {
    const { normal } = scalingFigures.random(seed), unit = 10 ** decimals;
    return sizes.flatMap((N, i) => tokens.map((D, j) => {
      const loss = formulas.loss(law, N, D) + (noise / 1000) * normal();
      return { N, D, C: 6 * N * D, i, j, loss: Math.round(loss * unit) / unit };
    }));
  }

  /** A line of ln N in ln C: the best size at any budget; null where the points do not make one. */
  function frontier(points) {
    if (new Set(points.map((p) => p.N)).size < 2) return null;
    const line = formulas.line(points.map((p) => Math.log(p.C)), points.map((p) => Math.log(p.N)));
    return { points, a: line.slope, best: (C) => Math.exp(line.at(Math.log(C))) };
  }

  /** Approach 1: the runs of one size are a curve; which size has the lowest at each of many budgets?
   * A budget counts where the winner is neither the smallest nor the largest size that could have won. */
  function envelope(runs, budgets = 200) {
    const curves = groups(runs, (run) => run.i).map((curve) => (
      { N: curve[0].N, x: curve.map((run) => Math.log(run.C)), y: curve.map((run) => run.loss) }));
    if (curves.length < 3) return null;
    const low = curves[2].x[0], high = curves.at(-3).x.at(-1);
    const found = Array.from({ length: budgets }, (_, b) => {
      const at = low + (b / (budgets - 1)) * (high - low);
      const there = curves.filter(({ x }) => x[0] <= at && at <= x.at(-1));
      const losses = there.map(({ x, y }) => {
        const k = Math.min(x.findLastIndex((each) => each <= at), x.length - 2);
        return y[k] + ((y[k + 1] - y[k]) * (at - x[k])) / (x[k + 1] - x[k]);
      });
      const winner = losses.indexOf(Math.min(...losses));
      return { C: Math.exp(at), N: there[winner].N, inside: winner > 0 && winner < there.length - 1 };
    });
    const begin = found.findLastIndex((p) => p.N === curves[0].N) + 1;
    const end = found.findIndex((p) => p.N === curves.at(-1).N);
    return frontier(found.slice(begin, end < 0 ? budgets : end).filter((p) => p.inside));
  }

  /** Approach 2: a parabola of the loss in ln N through runs of equal compute, a line through the minima. */
  function parabolas(runs) {
    const enough = groups(runs, (run) => run.i + run.j).filter((group) => group.length > 3);
    return frontier(enough.map((group) => {
      const u = group.map((run) => Math.log(run.N)), centre = mean(u);
      const v = u.map((each) => each - centre);
      const [, c1, c2] = leastSquares([v.map(() => 1), v, v.map((x) => x * x)], group.map((run) => run.loss)).found;
      const lowest = -c1 / (2 * c2);
      return { C: group[0].C, N: Math.exp(centre + lowest), inside: c2 > 0 && lowest > v[0] && lowest < v.at(-1) };
    }).filter((p) => p.inside));
  }

  /** Least squares by Gram and Schmidt: coefficients, residuals, and the projection off the columns. */
  function leastSquares(columns, y) {
    const basis = [], upper = [], found = [], parts = [];
    const off = (vector, share = []) => basis.reduce((left, q, k) => {
      share[k] = dot(q, left);
      return left.map((each, i) => each - share[k] * q[i]);
    }, vector);
    for (const column of columns) {
      const share = [], left = off(column, share), length = Math.sqrt(dot(left, left));
      upper.push([...share, length]);
      basis.push(left.map((each) => each / length));
    }
    const residuals = off(y, parts);
    for (let k = columns.length - 1; k >= 0; k--) {
      for (let m = k + 1; m < columns.length; m++) parts[k] -= found[m] * upper[m][k];
      found[k] = parts[k] / upper[k][k];
    }
    return { found, residuals, off };
  }

  /** Approach 3: least squares of E + A/N^alpha + B/D^beta with E at least 0. Given the exponents it is linear
   * (variable projection), so only they are sought: on a grid, then by Gauss and Newton's steps. */
  function parametric(runs, least = 0.01, most = 2) {
    const y = runs.map((run) => run.loss), one = y.map(() => 1);
    const logs = ["N", "D"].map((key) => runs.map((run) => Math.log(run[key])));
    const centres = logs.map(mean), spread = logs.map((each, k) => each.map((x) => x - centres[k]));
    const tried = (at) => {
      const terms = at.map((exponent, k) => spread[k].map((x) => Math.exp(-exponent * x)));
      let fit = leastSquares([one, ...terms], y), E = fit.found[0];
      if (E < 0) [fit, E] = [leastSquares(terms, y), 0];
      const scale = fit.found.slice(-2);
      const sum = Math.min(...scale) > 0 ? dot(fit.residuals, fit.residuals) : Infinity;
      return { at, E, scale, terms, sum, ...fit };
    };
    const grid = Array.from({ length: 10 }, (_, k) => 0.03 * 1.6 ** k);
    let now = grid.flatMap((p) => grid.map((q) => tried([p, q]))).reduce((a, b) => (b.sum < a.sum ? b : a));
    if (now.sum === Infinity) return null;
    for (let steps = 0, next; steps < 200; steps++, now = next) {
      const slopes = now.terms.map((term, k) => now.off(term.map((x, i) => -now.scale[k] * x * spread[k][i])));
      const pull = slopes.map((slope) => dot(slope, now.residuals));
      const [[a, b], [, c]] = slopes.map((p) => slopes.map((q) => dot(p, q)));
      const held = pull.map((each, k) => (each > 0 ? now.at[k] >= most : now.at[k] <= least));
      const move = held.includes(true) ? [held[0] ? 0 : pull[0] / a, held[1] ? 0 : pull[1] / c] :
        [c * pull[0] - b * pull[1], a * pull[1] - b * pull[0]].map((each) => each / (a * c - b * b));
      next = null;
      for (let share = 1; share > 1e-6 && !next; share /= 2) {
        const to = tried(now.at.map((value, k) => Math.min(most, Math.max(least, value + share * move[k]))));
        if (to.sum < now.sum) next = to;
      }
      if (!next) break;
    }
    const [A, B] = now.scale.map((scale, k) => scale * Math.exp(now.at[k] * centres[k]));
    const law = { E: now.E, A, B, alpha: now.at[0], beta: now.at[1] };
    return { law, a: law.beta / (law.alpha + law.beta), sum: now.sum, best: (C) => formulas.optimum(law, C).params };
  }

  /** One table, the runs of sizes number `from` to `to` of it, and what the approaches make of them. */
  function toyStudy({ from, to, ...setting }) {
    const runs = toyRuns(setting), kept = runs.filter((run) => run.i >= from && run.i <= to);
    return { runs, kept, fits: [envelope(kept), parabolas(kept), parametric(kept)] };
  }

  Object.assign(formulas, { toyRuns, envelope, parabolas, parametric, toyStudy });

  const NAMES = ["envelope", "parabola", "law"];
  const named = (k) => `approach ${k + 1}, ${NAMES[k]}`;

  scalingFigures.register("toy", function (figure, { law, sizes, tokens, flops, decimals, noise, from, to, draws }) {
    const table = figure.panel("The table of losses");
    const digits = table.range({ key: "decimals", label: "Decimals of the loss", value: decimals, min: 1, max: 5, step: 1 });
    const spoilt = table.range({ key: "noise", label: "Noise", unit: "thousandths of a nat", value: noise, min: 0, max: 20,
      step: 0.5 });
    const seed = table.range({ key: "seed", label: "Seed of the noise", value: 1, min: 1, max: 999, step: 1 });
    table.button("Draw again", () => seed.set(seed.get() % 999 + 1));
    const fitted = figure.panel("The runs that are fitted");
    const options = sizes.map((size, i) => ({ value: String(i), label: words.short(size) }));
    const ends = [fitted.choice({ key: "from", label: "Smallest model", value: String(from), options }),
      fitted.choice({ key: "to", label: "Largest model", value: String(to), options })];
    const beyond = fitted.range({ key: "flops", label: "Followed to a budget of", unit: "FLOP", value: flops, min: 1e21,
      max: 1e27, log: true });
    fitted.note("Simulated: nothing was trained. The truth is the law of Besiroglu et al. (2024). Simpler than the " +
      "package: noise is added to the loss; approach 1 takes the last losses of one size for a curve; approach 3 " +
      "minimises squares of the loss, not Huber's function of its logarithm.");
    const answer = figure.output(), warning = figure.output("warning");
    const fan = figure.plot(), strip = figure.plot({ aspect: 0.36, least: 200 });

    figure.onChange(() => {
      const [least, most] = ends.map((end) => Number(end.get())).sort((a, b) => a - b);
      const [from, to] = [Math.min(least, sizes.length - 3), Math.max(most, Math.min(least, sizes.length - 3) + 2)];
      const study = (each) => toyStudy({ law, sizes, tokens, from, to, noise: spoilt.get(), decimals: digits.get(),
        seed: each });
      const C = beyond.get(), best = (budget) => formulas.optimum(law, budget).params;
      const off = (fit, budget) => (fit ? fit.best(budget) / best(budget) : NaN);
      const now = study(seed.get()), mine = now.fits.map((fit) => off(fit, C));
      const others = Array.from({ length: draws }, (_, k) => study(1000 + k).fits.map((fit) => off(fit, C)));
      const thirds = others.map((each) => each[2]).filter(Number.isFinite);
      const found = mine.map((ratio, k) => ratio && `${words.number(ratio, 2)} (${named(k)})`).filter(Boolean);
      answer.say(`From ${now.kept.length} runs of models of ${words.short(sizes[from])} to ${words.short(sizes[to])}, the ` +
        `best size at ${words.flops(C)} FLOP, in truth ${words.count(best(C))}, comes out ${found.join(", ")} times as large. ` +
        (spoilt.get() ? `In ${draws} other draws of the noise, approach 3 gives ${words.number(Math.min(...thirds), 2)} to ` +
          `${words.number(Math.max(...thirds), 2)} times.` : "Without noise, only the rounding is left."));
      warning.say(found.length > 2 ? "" : `No answer by ${NAMES.map((_, k) => k).filter((k) => !mine[k]).map(named)
        .join(" and ")}: that takes four sizes, and best ones among them.`);

      const range = 1.25 * Math.max(4, ...[mine, ...others].flat().filter(Boolean).map((r) => Math.min(60, Math.max(r, 1 / r))));
      const over = { from: 1 / range, to: range, log: true, format: (value) => words.number(value) };
      const budgets = formulas.spaced(now.runs[0].C, C, 40);
      const dots = (runs, colour, label, at) => (
        { kind: "points", points: runs.map((run) => [run.C, run.N / best(run.C)]), colour, radius: 2, label, at });
      fan.draw({
        x: { from: now.runs[0].C / 2, to: C * 30, log: true, title: "Compute [FLOP]" },
        y: { ...over, title: "Size over the true best size" },
        marks: [dots(now.runs, "quiet", "runs", 1), dots(now.kept, 1, "fitted runs", 0), { kind: "rule", x: C, colour: "quiet" },
          { kind: "rule", y: 1, colour: 6, label: "truth", dash: false },
          ...now.fits.flatMap((fit, k) => (fit ? [
            { kind: "line", points: budgets.map((each) => [each, off(fit, each)]), colour: k + 2, dash: true },
            { kind: "points", points: [[C, mine[k]]], colour: k + 2, radius: 5, label: NAMES[k] }] : []))],
        words: "The runs, fitted ones and others, and how far each approach is from the best size at each budget",
      });
      strip.draw({
        x: { ...over, title: `Best size at ${words.flops(C)} FLOP over the true one` },
        y: { from: 3.7, to: 0.5, ticks: [1, 2, 3], format: (k) => NAMES[k - 1],
          title: "This draw of the noise (full) and others (hollow)" },
        marks: [{ kind: "rule", x: 1, colour: 6, dash: false }, ...mine.flatMap((ratio, k) => [
          { kind: "points", hollow: true, radius: 3.5, colour: k + 2, points: others.map((each) => [each[k], k + 1]) },
          { kind: "points", radius: 6, colour: k + 2, points: [[ratio, k + 1]] }])],
        words: `The best sizes over the true one, in this draw and ${draws} others`,
      });
    });
  });
})();

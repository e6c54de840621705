/* The additive and the coupled law through the same runs: how far apart do they lead? */
(() => {
"use strict";

const { formulas, element, words: { count, short, flops, number, percent } } = scalingFigures;
const COLOURS = { additive: 2, coupled: 1 };

/** Root mean square of ln predicted - ln observed over runs [params, tokens, flops, loss]. */
formulas.error = (law, runs) => {
  const squares = runs.map(([N, D, , loss]) => Math.log(formulas.loss(law, N, D) / loss) ** 2);
  return Math.sqrt(formulas.mean(squares));
};

scalingFigures.register("two-laws", (figure, { runs, fits, slack, reach, up_to: first }) => {
  const isFitted = (limit) => (run) => run[2] <= slack * limit;
  const panel = figure.panel("Fit, and extrapolate");
  const fitted = panel.choice({ key: "runs", label: "Runs that are fitted", value: first,
    options: Object.keys(fits).map((value) => ({ value,
      label: `${runs.filter(isFitted(value)).length}, up to ${flops(Number(value), 1)} FLOP` })) });
  const asked = panel.range({ key: "reach", label: "Extrapolate to", unit: "FLOP", value: reach, min: 1e13, max: 1e18,
    log: true });
  panel.note(`${runs.length} runs of our own, of tiny models. Filled dots are fitted, hollow ones held out.`);
  const answers = { additive: figure.output(), coupled: figure.output() }, apart = figure.output("warning");
  const losses = figure.plot({ most: 290 }), sizes = figure.plot({ aspect: 0.5, most: 270 });

  figure.onChange(() => {
    const C = asked.get(), laws = Object.entries(fits[fitted.get()]);
    const inside = runs.filter(isFitted(fitted.get())), outside = runs.filter((run) => !inside.includes(run));
    const largest = Math.max(...inside.map((run) => run[2]));
    const at = (law, c, what) => formulas.optimum(law.constants, c)[what];
    for (const [name, law] of laws) {
      const span = formulas.interval(law.sizes, (c) => at(law, c, "params"), C);
      const size = at(law, C, "params"), ends = span && `${count(span[0], 2)} to ${count(span[1], 2)}`;
      const known = span && span[0] * 2 >= size && span[1] <= 2 * size;
      answers[name].say(element("<strong>", `The ${name} law`), known ? ` wants ${count(size, 2)} parameters (95 % ` +
        `interval ${ends})` : ` leaves the size open${span ? `, ${ends} parameters (95 % interval)` : ""},`,
        ` and expects ${number(at(law, C, "loss"))} nats a token.`,
        outside.length ? ` It misses the runs held out by ${percent(formulas.error(law.constants, outside))}.` : "");
    }
    const ratio = at(laws[0][1], C, "params") / at(laws[1][1], C, "params");
    apart.say(`At ${number(C / largest, 2)} times the largest run fitted, the two estimates of the size are a factor of ` +
      `${number(Math.max(ratio, 1 / ratio), 2)} apart. Each interval takes its own law for granted.`);

    const budgets = formulas.spaced(1e10, 2 * C, 81);
    const x = { from: 1e10, to: 2 * C, log: true, title: "Compute [FLOP]" };
    const lines = (what) => laws.map(([name, law]) => ({ kind: "line", colour: COLOURS[name], label: `${name} law`,
      at: 0.85, dash: name === "additive", points: budgets.map((c) => [c, at(law, c, what)]) }));
    const dots = (these, hollow) => ({ kind: "points", colour: 6, hollow, radius: 2.6,
      points: these.map(([, , flops, loss]) => [flops, loss]) });
    const limit = { kind: "rule", x: largest, colour: "quiet" };
    losses.draw({
      x: { ...x, title: "" },
      y: { from: Math.min(...laws.map(([, law]) => at(law, C, "loss"))) - 0.3, to: 5.6, title: "Loss [nats a token]" },
      marks: [{ ...limit, label: "largest run fitted" }, dots(inside), dots(outside, true), ...lines("loss")],
      words: "Loss against compute: the runs, and the least loss of each budget by two laws that part beyond them.",
    });
    sizes.draw({
      x,
      y: { from: 5e3, to: 3 * Math.max(...laws.map(([, law]) => at(law, 2 * C, "params"))), log: true, format: short,
        title: "Best size [parameters], with 95 % intervals" },
      marks: [limit, ...laws.map(([name, law]) => ({ kind: "band", colour: COLOURS[name],
        points: law.sizes.map((row) => [row.flops, row.low, row.high]) })), ...lines("params")],
    });
  });
});
})();

/* The budget explorer: a budget and a law, and the size that suits them. */
(function () {
  "use strict";

  scalingFigures.register("budget", function build(figure, options) {
    const { formulas, words } = scalingFigures;
    const law = options.laws[options.law];
    const budget = figure.panel("Your budget").range({ key: "flops", label: "compute", unit: "FLOP", value: 5.76e23,
      min: 1e18, max: 1e28, log: true });
    const answer = figure.output();
    const plot = figure.plot();
    figure.onChange(() => {
      const best = formulas.optimum(law, budget.get());
      answer.say("The best size is ", words.count(best.params), " parameters.");
      const sizes = Array.from({ length: 121 }, (_, k) => best.params * 10 ** ((k - 60) / 30));
      plot.draw({
        x: { from: sizes[0], to: sizes[120], log: true, title: "size (parameters)", format: words.short },
        y: { from: best.loss - 0.02, to: best.loss + 0.3, title: "loss (nats a token)" },
        marks: [
          { kind: "line", points: sizes.map((N) => [N, formulas.loss(law, N, budget.get() / 6 / N)]),
            label: "loss at this budget" },
          { kind: "points", points: [[best.params, best.loss]], colour: 2, label: "the best size" },
        ],
        words: `Loss against size; least at ${words.count(best.params)} parameters.`,
      });
    });
  });
})();

/* Text that is read more than once: the law of Muennighoff et al. (2023), and its best plan. */
(function () {
  "use strict";
  const { formulas, words } = scalingFigures;

  /** What an amount is worth of which only `unique` is new. */
  function effective(amount, unique, decay) {
    const repetitions = Math.max(amount / unique - 1, 0);
    return Math.min(amount, unique) - unique * decay * Math.expm1(-repetitions / decay);
  }

  /** The size for which so many tokens are compute-optimal. */
  function usefulSize({ A, B, alpha, beta }, unique) {
    return ((alpha * A) / (beta * B)) ** (1 / alpha) * unique ** (beta / alpha);
  }

  /** Loss of a size that reads so many tokens, of which `unique` are distinct. */
  function limitedLoss(law, params, tokens, unique) {
    const size = effective(params, usefulSize(law, unique), law.excess);
    return formulas.loss(law, size, effective(tokens, unique, law.repeated));
  }

  /** The plan that reads the text so many times within a budget. */
  function planOf(law, flops, unique, epochs) {
    const tokens = unique * epochs, params = flops / (6 * tokens);
    return { params, tokens, epochs, loss: limitedLoss(law, params, tokens, unique) };
  }

  /** How much a term's pull on the loss has lost, in logarithms, where the amount is e^y times what is new. */
  function lostPull(y, exponent, decay) {
    const decays = Math.expm1(y) / decay;
    return (1 + exponent) * Math.log1p(-decay * Math.expm1(-decays)) + decays - y;
  }

  /** The plan of least loss: where one per cent more size and one per cent more tokens buy the same. */
  function limitedPlan(law, flops, unique) {
    const span = Math.log(flops / (6 * unique * usefulSize(law, unique)));
    if (!(span > 0)) return planOf(law, flops, unique, formulas.optimum(law, flops).tokens / unique);
    let low = 0, high = span;
    for (let step = 0; step < 60; step++) {
      const y = (low + high) / 2;
      if (lostPull(y, law.beta, law.repeated) < lostPull(span - y, law.alpha, law.excess)) low = y;
      else high = y;
    }
    return planOf(law, flops, unique, Math.exp(low));
  }

  Object.assign(formulas, { effective, usefulSize, limitedLoss, planOf, limitedPlan });

  const times = (epochs) => (epochs < 1 ? `${words.percent(epochs)} of the text once` : `the text ${words.number(epochs)} times`);

  scalingFigures.register("epochs", function (figure, { law, flops, unique, epochs }) {
    const given = figure.panel("What there is");
    const budget = given.range({ key: "flops", label: "Budget", unit: "FLOP", value: flops, min: 1e18, max: 1e28,
      log: true });
    const text = given.range({ key: "unique", label: "Unique tokens", value: unique, min: 1e8, max: 1e14, log: true,
      words: words.short });
    const plan = figure.panel("Your plan");
    const passes = plan.range({ key: "epochs", label: "Epochs", unit: "times the text is read", value: epochs, min: 0.1,
      max: 1000, log: true, words: words.number });
    plan.note("The law and its constants are those of Muennighoff et al. (2023). It cannot say that repetition harms, " +
      "which runs of excess size do; and its loss is right for their text and tokenizer only: read differences.");
    const answer = figure.output(), valley = figure.plot(), worth = figure.plot();

    figure.onChange(() => {
      const flops = budget.get(), unique = text.get(), epochs = passes.get();
      const best = limitedPlan(law, flops, unique), free = formulas.optimum(law, flops);
      const yours = planOf(law, flops, unique, epochs);
      const value = (each) => effective(each, 1, law.repeated);
      const lack = best.loss - free.loss;
      answer.say(`The best plan reads ${times(best.epochs)}, with a model of ${words.count(best.params)} parameters` +
        (lack < 5e-5 ? ": there is text enough. " : `, and loses ${words.number(lack, 2)} nats a token against new text ` +
          `without end, of which it would read ${words.count(free.tokens)} tokens. `) +
        `Yours reads ${times(epochs)}, with ${words.count(yours.params)} parameters: ` +
        `${words.number(Math.max(0, yours.loss - best.loss), 2)} nats a token worse than the best. A token it reads is ` +
        `worth ${words.percent(value(epochs) / epochs)} of a new one.`);

      const middle = [best.epochs, free.tokens / unique, epochs];
      const [from, to] = [Math.min(...middle) / 5, Math.max(...middle) * 5];
      const across = Array.from({ length: 150 }, (_, k) => from * (to / from) ** (k / 149));
      const floor = free.loss, top = Math.max(yours.loss, best.loss + 0.1) + 0.03;
      const spots = (label, each, loss, colour, hollow) => (
        { kind: "points", points: [[each, loss]], radius: 6, colour, hollow, label });
      valley.draw({
        x: { from, to, log: true, title: "Epochs: tokens read over unique tokens", format: (x) => words.number(x) },
        y: { from: floor - 0.15 * (top - floor), to: top, title: "Loss at this budget [nats a token]" },
        marks: [{ kind: "line", colour: "quiet", dash: true, label: "if all text were new", at: 0.85,
          points: across.map((each) => [each, formulas.loss(law, flops / (6 * unique * each), unique * each)]) },
        { kind: "line", colour: 1, points: across.map((each) => [each, planOf(law, flops, unique, each).loss]) },
        spots("best with new text", free.tokens / unique, floor, "quiet", true),
        spots("best plan", best.epochs, best.loss, 1), spots("your plan", epochs, yours.loss, 2)],
        words: `Loss against epochs: the best plan has ${words.number(best.epochs)}, yours ${words.number(epochs)}`,
      });

      const end = Math.max(20, Math.min(100, 1.5 * Math.max(best.epochs, epochs)));
      const ceiling = 1 + law.repeated;
      worth.draw({
        x: { from: 0, to: end, title: "Epochs" },
        y: { from: 0, to: 1.2 * ceiling, title: "Worth of the text, in first passes" },
        marks: [{ kind: "line", colour: "quiet", dash: true, points: [[0, 0], [end, end]], label: "new text", at: 0.8 },
          { kind: "rule", y: ceiling, colour: "quiet", label: `never more than ${words.number(ceiling)}` },
          { kind: "line", colour: 1, label: "the same text again", at: 0.9,
            points: across.concat(end).map((_, k, all) => [k * end / (all.length - 1), value(k * end / (all.length - 1))]) },
          spots("best plan", best.epochs, value(best.epochs), 1), spots("your plan", epochs, value(epochs), 2)],
        words: `What so many epochs are worth: yours ${words.number(value(epochs))} first passes`,
      });
    });
  });
})();

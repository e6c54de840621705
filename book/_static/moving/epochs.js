/* Text that is read more than once: the law of Muennighoff et al. (2023), and its best plan. */
(function () {
  "use strict";
  const { formulas, words } = scalingFigures;
  const { spaced } = formulas;

  /** What an amount is worth of which only `unique` is new. */
  function effective(amount, unique, decay) {
    return Math.min(amount, unique) - unique * decay * Math.expm1(-Math.max(amount / unique - 1, 0) / decay);
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

  const read = (epochs) => (
    epochs < 1 ? `reads ${words.percent(epochs)} of the text once` : `reads the text ${words.number(epochs)} times`);

  scalingFigures.register("epochs", function (figure, { law, flops, unique, epochs }) {
    const given = figure.panel("What there is");
    const budget = given.range({ key: "flops", label: "Budget", unit: "FLOP", value: flops, min: 1e18, max: 1e28,
      log: true });
    const text = given.range({ key: "unique", label: "Unique tokens", value: unique, min: 1e8, max: 1e14, log: true,
      words: words.short });
    const plan = figure.panel("Your plan");
    const passes = plan.range({ key: "epochs", label: "Epochs", unit: "times the text is read", value: epochs, min: 0.1,
      max: 1000, log: true, words: words.number });
    plan.note("Law and constants of Muennighoff et al. (2023). It cannot say that repetition harms, though it does in " +
      "some runs. The level of its loss belongs to their text and tokenizer: read differences.");
    const answer = figure.output(), valley = figure.plot(), worth = figure.plot();

    figure.onChange(() => {
      const flops = budget.get(), unique = text.get(), epochs = passes.get();
      const best = limitedPlan(law, flops, unique), free = formulas.optimum(law, flops);
      const yours = planOf(law, flops, unique, epochs), fresh = free.tokens / unique;
      const value = (each) => effective(each, 1, law.repeated);
      const lack = best.loss - free.loss;
      answer.say(`The best plan ${read(best.epochs)}, with ${words.count(best.params)} parameters` +
        (lack < 5e-4 ? ": there is text enough. " : `. New text without end would lower its loss by ` +
          `${lack.toFixed(3)} nats a token. `) +
        `Your plan ${read(epochs)}, with ${words.count(yours.params)} parameters, and its ` +
        `loss is ${Math.max(0, yours.loss - best.loss).toFixed(3)} higher. A token that it reads is worth ` +
        `${words.percent(value(epochs) / epochs)} of a new one.`);

      const from = Math.min(best.epochs, fresh, epochs) / 5, to = Math.max(best.epochs, fresh, epochs) * 5;
      const top = Math.max(yours.loss, best.loss + 0.1) + 0.03, room = top - free.loss;
      const curve = (loss, across, look) => ({ kind: "line", points: across.map((each) => [each, loss(each)]), ...look });
      const dot = (label, each, loss, colour, aside, hollow) => [
        { kind: "points", points: [[each, loss]], radius: 6, colour, hollow },
        { kind: "words", points: [[each, loss + aside]], colour, label }];
      valley.draw({
        x: { from, to, log: true, title: "Epochs: tokens read over unique tokens", format: (x) => words.number(x) },
        y: { from: free.loss - 0.25 * room, to: top, title: "Loss at this budget [nats a token]" },
        marks: [curve((each) => formulas.loss(law, flops / (6 * unique * each), unique * each), spaced(from, to, 150),
          { colour: "quiet", dash: true }),
        curve((each) => planOf(law, flops, unique, each).loss, spaced(from, to, 150)),
        ...dot("best if all text were new", fresh, free.loss, "quiet", -0.18 * room, true),
        ...dot("best plan", best.epochs, best.loss, 1, 0.05 * room), ...dot("your plan", epochs, yours.loss, 2, 0)],
        words: `Loss against epochs: the best plan has ${words.number(best.epochs)}, yours ${words.number(epochs)}`,
      });

      const end = Math.max(20, Math.min(100, 1.5 * Math.max(best.epochs, epochs))), ceiling = value(Infinity);
      const passed = Array.from({ length: 101 }, (_, k) => (k * end) / 100);
      worth.draw({
        x: { from: 0, to: end, title: "Epochs" },
        y: { from: 0, to: 1.25 * ceiling, title: "Worth of the text, in first passes" },
        marks: [curve((each) => each, passed, { colour: "quiet", dash: true, label: "new text", at: 0.9 }),
          { kind: "rule", y: ceiling, colour: "quiet", label: `never more than ${words.number(ceiling)}` },
          curve(value, passed, { label: "the same text again" }),
          ...dot("best plan", best.epochs, value(best.epochs), 1, -0.15 * ceiling),
          ...dot("your plan", epochs, value(epochs), 2, -0.15 * ceiling)],
        words: `What so many epochs are worth: yours ${words.number(value(epochs))} first passes`,
      });
    });
  });
})();

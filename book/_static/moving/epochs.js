/* Text that is read more than once: the law of Muennighoff et al. (2023), and its best plan. */
(() => {
"use strict";
const { formulas, words: { number, count, percent, short } } = scalingFigures;
const { effective, limitedLoss, limitedPlan, spaced } = formulas;

/** The plan that reads the text so many times within a budget. */
function planOf(law, flops, unique, epochs) {
  const tokens = unique * epochs, params = flops / (6 * tokens);
  return { params, tokens, epochs, loss: limitedLoss(law, params, tokens, unique) };
}

formulas.planOf = planOf;

const read = (epochs) => (
  epochs < 1 ? `reads ${percent(epochs)} of the text once` : `reads the text ${number(epochs)} times`);

scalingFigures.register("epochs", (figure, { law, note }) => {
  const given = figure.panel("What there is"), plan = figure.panel("Your plan");
  const range = (panel, key, label, unit, min, max, words) => (
    panel.range({ key, label, unit, min, max, words, log: true }));
  range(given, "flops", "Budget", "FLOP", 1e18, 1e28);
  range(given, "unique", "Unique tokens", "", 1e8, 1e14, short);
  range(plan, "epochs", "Epochs", "times the text is read", 0.1, 1000, number);
  plan.note(note);
  const answer = figure.output(), valley = figure.plot(), worth = figure.plot();

  figure.onChange(() => {
    const { flops, unique, epochs } = figure.values();
    const best = limitedPlan(law, flops, unique), yours = planOf(law, flops, unique, epochs);
    const free = formulas.optimum(law, flops), fresh = free.tokens / unique, lack = best.loss - free.loss;
    const value = (each) => effective(each, 1, law.repeated);
    answer.say(`The best plan ${read(best.epochs)}, with ${count(best.params)} parameters` +
      (lack < 5e-4 ? ": there is text enough. " : ". New text without end would lower its loss by " +
        `${lack.toFixed(3)} nats a token. `) + `Your plan ${read(epochs)}, with ${count(yours.params)} parameters, and ` +
      `its loss is ${Math.max(0, yours.loss - best.loss).toFixed(3)} higher. A token that it reads is worth ` +
      `${percent(value(epochs) / epochs)} of a new one.`);

    const three = [best.epochs, fresh, epochs], from = Math.min(...three) / 5, to = Math.max(...three) * 5;
    const across = spaced(from, to, 150);
    const top = Math.max(yours.loss, best.loss + 0.1) + 0.03, room = top - free.loss;
    const curve = (loss, across, look) => ({ kind: "line", points: across.map((each) => [each, loss(each)]), ...look });
    const dot = (label, each, loss, colour, aside, hollow) => [
      { kind: "points", points: [[each, loss]], radius: 6, colour, hollow },
      { kind: "words", points: [[each, loss + aside]], colour, label }];
    valley.draw({
      x: { from, to, log: true, title: "Epochs: tokens read over unique tokens", format: number },
      y: { from: free.loss - 0.25 * room, to: top, title: "Loss at this budget [nats a token]" },
      marks: [curve((each) => formulas.loss(law, flops / (6 * unique * each), unique * each), across,
        { colour: "quiet", dash: true }), curve((each) => planOf(law, flops, unique, each).loss, across),
      ...dot("best if all text were new", fresh, free.loss, "quiet", -0.18 * room, true),
      ...dot("best plan", best.epochs, best.loss, 1, 0.05 * room), ...dot("your plan", epochs, yours.loss, 2, 0)],
    });

    const end = Math.max(20, Math.min(100, 1.5 * Math.max(best.epochs, epochs))), ceiling = value(Infinity);
    const passed = spaced(end / 100, end, 99);
    worth.draw({
      x: { from: 0, to: end, title: "Epochs" },
      y: { from: 0, to: 1.25 * ceiling, title: "Worth of the text, in first passes" },
      marks: [curve((each) => each, passed, { colour: "quiet", dash: true, label: "new text", at: 0.9 }),
        { kind: "rule", y: ceiling, colour: "quiet", label: `never more than ${number(ceiling)}` },
        curve(value, passed, { label: "the same text again" }),
        ...dot("best plan", best.epochs, value(best.epochs), 1, -0.15 * ceiling),
        ...dot("your plan", epochs, value(epochs), 2, -0.15 * ceiling)],
    });
  });
});
})();

// Text that is read more than once: the law of Muennighoff et al. (2023) and its best plan.
(() => {
  "use strict";
  const figures = (window.scalingFigures ||= {});
  const formulas = (figures.formulas ||= {});

  // What an amount is worth of which only `unique` is new.
  formulas.effective = (amount, unique, decay) => {
    const repetitions = Math.max(amount / unique - 1, 0);
    return Math.min(amount, unique) - unique * decay * Math.expm1(-repetitions / decay);
  };

  // The size for which so many tokens are compute-optimal.
  formulas.usefulSize = (law, unique) => {
    return ((law.alpha * law.A) / (law.beta * law.B)) ** (1 / law.alpha) * unique ** (law.beta / law.alpha);
  };

  formulas.freshLoss = (law, size, tokens) => law.E + law.A * size ** -law.alpha + law.B * tokens ** -law.beta;

  formulas.limitedLoss = (law, size, tokens, unique) => {
    const worth = formulas.effective(size, formulas.usefulSize(law, unique), law.excess);
    return formulas.freshLoss(law, worth, formulas.effective(tokens, unique, law.repeated));
  };

  const plan = (law, flops, size, unique) => {
    const tokens = flops / (6 * size);
    return { size, tokens, epochs: tokens / unique, loss: formulas.limitedLoss(law, size, tokens, unique) };
  };

  formulas.freshPlan = (law, flops) => {
    const level = ((law.alpha * law.A) / (law.beta * law.B)) ** (1 / (law.alpha + law.beta));
    return plan(law, flops, level * (flops / 6) ** (law.beta / (law.alpha + law.beta)), Infinity);
  };

  // What a term's pull on the loss has lost, in logarithms, where the amount is e^y times what is new.
  const lostPull = (y, exponent, decay) => {
    const decays = Math.expm1(y) / decay;
    return (1 + exponent) * Math.log1p(-decay * Math.expm1(-decays)) + decays - y;
  };

  // The plan of least loss: one per cent more of either buys the same, which one halving bracket finds.
  formulas.limitedPlan = (law, flops, unique) => {
    const useful = formulas.usefulSize(law, unique);
    const span = Math.log(flops / 6 / unique / useful);
    if (!(span > 0)) return plan(law, flops, formulas.freshPlan(law, flops).size, unique);
    let low = 0, high = span;
    for (let step = 0; step < 60; step++) {
      const y = (low + high) / 2;
      if (lostPull(y, law.beta, law.repeated) < lostPull(span - y, law.alpha, law.excess)) low = y;
      else high = y;
    }
    return plan(law, flops, flops / (6 * unique * Math.exp(low)), unique);
  };

  // The plan that reads the text so many times.
  formulas.chosenPlan = (law, flops, unique, epochs) => plan(law, flops, flops / (6 * unique * epochs), unique);
})();

/* The budget explorer: a budget and a law; the size that suits them, what another wastes, and how far to trust it. */
(() => {
"use strict";

const { formulas, element, words: { count, short, flops, number, percent } } = scalingFigures;
const { optimum, loss, sum, interval, limitedLoss, limitedPlan, root, spaced } = formulas;

/** Share of the budget 6 N D that a better size would have saved. */
function waste(law, params, tokens) {
  const best = optimum(law, 6 * params * tokens);
  const excess = Math.log(sum(law, params, tokens) / sum(law, best.params, best.tokens));
  return -Math.expm1(-Math.max(0, excess) * (1 / law.alpha + 1 / law.beta));
}

/** The size and tokens of least 6 N D + 2 N demand for a loss; exp(-v) is the data's share of what is reducible. */
function served(law, loss, demand) {
  const reducible = (loss - law.E) ** (1 / (law.k ?? 1));
  const tokens = (v) => (law.B / reducible * Math.exp(v)) ** (1 / law.beta);
  const pull = (v) => Math.log(Math.expm1(v) * law.alpha / law.beta) - Math.log1p(demand / (3 * tokens(v)));
  const start = Math.log1p(law.beta / law.alpha);
  const v = root(pull, start, start + 300);
  return { params: (law.A / (-Math.expm1(-v) * reducible)) ** (1 / law.alpha), tokens: tokens(v) };
}

/** A law out of what `scaling fit --out` or `scaling rerun` wrote, or an error in words. */
function readLaw(text) {
  const refuse = (why) => {
    throw new Error(`${why} Wanted is the file of scaling fit --out, or summary.json of scaling rerun.`);
  };
  let record;
  try {
    record = JSON.parse(text);
  } catch {
    refuse(/NaN|Infinity/.test(text) ? "It has NaN or Infinity, which JSON does not know." : "It is no JSON.");
  }
  if (record?.groups) refuse(`It has a law for each ${record.group}: fit the rows of one, by --where.`);
  const { pooled = [], answer, holdout } = record ?? {};
  if (answer?.kind === "nothing") pooled.push(answer.why);
  if (pooled.length) refuse(`One law does not suit all of its rows: ${pooled.join("; ")}.`);
  const law = record?.approaches?.[3] ?? record?.laws?.find?.((each) => each?.approach === 3);
  if (!law) refuse("It has no law of approach 3, which knows the loss of every size.");
  if (law.reason || law.status === "not possible") refuse(`Its runs allow no law: ${law.reason ?? law.message}.`);
  const given = Array.isArray(law.constants) ? law.constants.map((each) => [each?.name, each?.estimate]) :
    Object.entries(law.constants ?? {});
  const constants = Object.fromEntries(given.filter(([name]) => /^(E|A|B|alpha|beta|k)$/.test(name)));
  for (const name of ["E", "A", "B", "alpha", "beta", ...Object.keys(constants)]) {
    const value = constants[name];
    if (!Number.isFinite(value)) refuse(`Its constant ${name} is missing, or no number.`);
    if (value < 0 || (value === 0 && name !== "E")) refuse(`Its constant ${name} is not positive: no size is best.`);
  }
  const meter = record.meter ?? record.input?.meter, kind = meter?.kind;
  if (/power|sizes/.test(kind)) {
    refuse(`It counts compute as ${meter.equation}, with which another size is best than with 6 N D, which is meant ` +
      "here. scaling plan counts as the file does.");
  }
  const unit = kind === "multiple" ? 6 / meter.coefficient : 1;
  const rows = (quantity, of = law.plans ?? law.certainty) => [of ?? []].flat().filter((row) => (
    row?.quantity === quantity)).map((row) => ({ ...row, flops: unit * row.flops }));
  const told = record.looks ? record : record.input ?? {}, best = holdout?.best_law ?? {};
  const looks = [told.looks ?? [], told.warnings ?? []].flat();
  if (record.differences?.disagree) looks.push("the three approaches do not agree");
  if (best.told && ![constants.k ? "coupled" : "Chinchilla", "the law as asked"].includes(best.law)) {
    looks.push(`another law foresees the runs held out best: ${best.law}`);
  }
  return {
    own: true, label: `your runs (${record.input?.name ?? "from a file"})`, constants, status: law.status,
    note: law.message ?? "", level: record.options?.level ?? law.level ?? 0.95, sizes: rows("params"),
    losses: rows("loss"), largest: rows("params", law.certainty)[0]?.flops, looks,
    meter: unit !== 1 && `${meter.equation}, ${number(1 / unit)} times 6 N D, by which FLOP are counted here`,
    nouns: record.input?.nouns,
  };
}

/** Whether the runs of a file leave the best size open: by its plans, or as those are, beyond a factor of two. */
function isOpen({ sizes, status }, params, flops, span) {
  if (!span || status === "not_identified") return true;
  const next = sizes.findIndex((row) => row.flops >= flops), k = next < 0 ? sizes.length : next;
  const here = sizes.filter((row) => Math.abs(row.flops / flops - 1) < 1e-5);
  const near = here.length ? here : sizes.slice(Math.max(0, k - 1), k + 1), plain = near.every((row) => "open" in row);
  const wide = span[0] * 2.0001 < params || span[1] > params * 2.0001;
  return near.some((row) => row.open ?? row.enough === false) || (wide && (next < 0 || !plain));
}

Object.assign(formulas, { waste, served, readLaw, isOpen });

const strong = (text) => element("<strong>", text);

/** Why an answer is to be trusted only so far. */
function doubtsOf(law, budget, rivals) {
  const factor = budget / law.largest, said = [];
  if (law.own && law.note) said.push(`The fit warns: ${law.note}.`);
  if (!law.largest) said.push("To what runs it was fitted is not known.");
  if (factor > 1) {
    said.push(`This is ${number(factor, 2)} times the largest run it was fitted to, ${flops(law.largest)} FLOP.`);
  }
  if (budget < law.smallest) {
    said.push(`This is ${number(law.smallest / budget, 2)} times below the smallest run it was fitted to.`);
  }
  if (factor > 10 || budget < law.smallest / 10) {
    said.push(law.own ? "The interval supposes that the law still holds there." :
      "Nothing here says whether it still holds there.");
  }
  if (factor > 100 && law.own) said.push("Beyond a hundred times it is extrapolated itself.");
  if (law.meter) said.push(`The file counts compute as ${law.meter}.`);
  if (law.own) said.push(...law.looks.map((each) => `Noticed in the table: ${each}.`));
  if (!law.own) {
    const sizes = rivals.map((each) => optimum(each.constants, budget).params).sort((one, two) => one - two);
    said.push(`The ${sizes.length} fits listed here, to the same runs, say ${count(sizes[0], 2)} to ` +
      `${count(sizes.at(-1), 2)} parameters.`);
  }
  return said.join(" ").replace(/\bparams\b/g, "parameters");
}

scalingFigures.register("budget", (figure, { laws, decays, preset, peak, own }) => {
  const money = figure.panel("Your budget"), source = figure.panel("The law"), more = figure.panel("And if …");
  const range = (panel, key, label, value, min, max, rest) => panel.range({ key, label, value, min, max, ...rest });
  const way = money.choice({ key: "way", label: "Given as", value: "flops",
    options: [{ value: "flops", label: "compute" }, { value: "machines", label: "accelerators and days" }] });
  const compute = range(money, "flops", "Compute", preset.budget, Math.min(1e12, preset.budget / 1e4), 1e28,
    { unit: "FLOP", log: true, least: 1e6, most: 1e32 });
  const machines = [
    range(money, "machines", "Accelerators", 1024, 1, 1e6, { log: true, words: count }),
    range(money, "days", "Days", 60, 1, 730, { step: 1 }),
    range(money, "peak", "Peak of each", peak.value, 1e12, 1e17, { unit: "FLOP/s", log: true }),
    range(money, "use", "Of it used", 40, 1, 100, { unit: "%", step: 1 }),
  ];
  const total = money.note();

  const known = { ...laws };
  const choice = source.choice({ key: "law", label: "Fitted by", value: preset.law,
    options: Object.entries(laws).map(([value, law]) => ({ value, label: law.label })) });
  const about = source.note();
  const pick = element("<label>Or yours: pick, or drop here, a file of <code>scaling fit --out</code> " +
    '<input type="file">');
  source.row(pick);
  const fault = source.note();
  function take(text) {
    try {
      known.own = readLaw(text);
      choice.add({ value: "own", label: known.own.label });
      choice.set("own");
      fault.say("");
      return known.own.largest;
    } catch (error) {
      fault.say(element("<strong>Not taken.</strong>"), " ", error.message);
    }
  }
  const load = async (file) => {
    const largest = take(await file.text());
    if (largest) compute.set(10 * largest);
  };
  pick.lastChild.onchange = (event) => load(event.target.files[0]);
  figure.live.ondragover = (event) => event.preventDefault();
  figure.live.ondrop = (event) => {
    event.preventDefault();
    load(event.dataTransfer.files[0]);
  };
  if (own) take(JSON.stringify(own));
  choice.first = choice.get();

  const answer = figure.output(), trust = figure.output("warning");
  const ask = (key, question, label, value, min, max) => {
    const check = more.check({ key, label: question, value: preset[key] > 0 });
    const amount = range(more, `${key}-value`, label, preset[key] || value, min, max,
      { log: true, words: count, least: 1, most: 1e20 });
    const output = figure.output();
    return (tell) => {
      amount.show(check.get());
      output.say(!check.get() ? "" : tell ? tell(amount.get()) :
        `And if ${question} Without a best size, nobody can say.`);
    };
  };
  const askSize = ask("compare", "it has another size?", "Parameters", 7e9, 1e6, 1e13);
  const askServing = ask("serve", "it will answer requests?", "Tokens in its life", 1e13, 1e9, 1e16);
  const askText = ask("unique", "there is only so much text?", "Distinct tokens", 1e12, 1e8, 1e15);
  const valley = figure.plot({ aspect: 0.5, least: 210, most: 250 });
  const frontier = figure.plot({ aspect: 0.5, least: 230, most: 270 });

  function budget() {
    const spent = machines.reduce((product, control) => product * control.get(), 24 * 3600 / 100);
    const counted = way.get() === "machines";
    compute.show(!counted);
    machines.forEach((control) => control.show(counted));
    total.say(counted ? `That is ${flops(spent)} FLOP. ${peak.words}` : "");
    return counted ? spent : compute.get();
  }

  figure.onChange(() => {
    const C = budget(), chosen = known[choice.get()], law = chosen.constants;
    const best = optimum(law, C);
    const least = chosen.own && chosen.sizes[0]?.flops * (1 - 1e-9);
    const endsOf = (rows, what, flops) => flops >= least && interval(rows, (c) => optimum(law, c)[what], flops);
    const spanOf = (flops) => endsOf(chosen.sizes, "params", flops);
    const span = spanOf(C), lossSpan = endsOf(chosen.losses, "loss", C);
    const settled = !chosen.own || !isOpen(chosen, best.params, C, span);
    const level = percent(chosen.level), within = span ? `${count(span[0], 2)} to ${count(span[1], 2)}` : "";
    // what the law is of: in nats, unless the runs of the file measure something else
    const { loss: noun = "loss", tokens = "tokens" } = chosen.nouns ?? {};
    const expected = `Expected ${noun}${noun === "loss" ? " in nats a token" : ""}`;
    about.say(chosen.own ? "" : chosen.note);
    trust.say(doubtsOf(chosen, C, Object.values(laws)));
    if (settled) {
      answer.say(`With ${flops(C)} FLOP, train `, strong(`${count(best.params, 2)} parameters`),
        within && ` (${level} interval ${within})`, " on ", strong(`${count(best.tokens, 2)} ${tokens}`),
        `, ${number(best.tokens / best.params, 2)} for each parameter. ${expected}: ${number(best.loss, 4)}`,
        lossSpan ? ` (${number(lossSpan[0], 4)} to ${number(lossSpan[1], 4)}).` : ".");
    } else {
      answer.say(`No best size can be named for ${flops(C)} FLOP: `, within ? `it lies anywhere from ${within} ` +
        `parameters (${level} interval), if the law is right.` : "the file has no interval for it.");
    }

    // both pictures share the axis of sizes, which stands still while a budget grows a little
    const from = 10 ** Math.floor(Math.log10(best.params) - 2);
    const sizes = spaced(from, 1e5 * from, 151);
    const x = { from, to: 1e5 * from, log: true, title: "Model size [parameters]", format: short };
    const lossOf = (N) => loss(law, N, C / (6 * N));
    const dot = (place, colour, label, radius) => ({ kind: "points", points: [place], colour, label, radius });
    const line = (points, rest) => ({ kind: "line", points, ...rest });
    let top = lossOf(best.params / 30);
    const curves = [line(sizes.map((N) => [N, lossOf(N)]), { dash: !settled })], points = [];
    if (settled) {
      curves.push(dot([best.params, best.loss], 1, `best: ${count(best.params, 2)}`, 6));
      points.push(dot([best.params, C], 1, "", 6));
    }
    askSize((N) => {
      top = Math.max(top, lossOf(N));
      curves.push(dot([N, lossOf(N)], 2, count(N, 2)));
      points.push(dot([N, C], 2, count(N, 2)));
      return `${count(N)} parameters would read ${count(C / (6 * N), 2)} ${tokens} and reach ${number(lossOf(N), 4)}` +
        (settled ? `: ${percent(waste(law, N, C / (6 * N)))} of the budget is wasted.` : ", if the law is right.");
    });
    askServing(settled && ((demand) => {
      const life = served(law, best.loss, demand), training = 6 * life.params * life.tokens;
      const saved = 1 - (training + 2 * life.params * demand) / (C + 2 * best.params * demand);
      points.push(dot([life.params, training], 4, "to be served"));
      if (saved < 1e-3) return "So little serving changes nothing.";
      return `To reach this loss and to serve costs least with ${count(life.params, 2)} parameters on ` +
        `${count(life.tokens, 2)} tokens: training takes ${number(training / C, 2)} times the budget, both together ` +
        `${percent(saved)} less than with the size above.`;
    }));
    askText(settled && ((unique) => {
      const limit = { ...law, ...decays }, plan = limitedPlan(limit, C, unique);
      if (plan.epochs <= 1) return `${count(unique)} distinct tokens are enough.`;
      curves.push(line(sizes.map((N) => [N, limitedLoss(limit, N, C / (6 * N), unique)]),
        { colour: 3, label: "distinct text runs out", at: 0.1 }));
      points.push(dot([plan.params, C], 3, "little text"));
      return `With so much text, ${count(plan.params, 2)} parameters read it ${number(plan.epochs, 2)} times and ` +
        `reach ${number(plan.loss, 4)}, if repetition is worth what Muennighoff et al. (2023) found.`;
    }));
    const room = (top - best.loss) / 20;
    valley.draw({
      x: { ...x, title: "" },
      y: { from: best.loss - 4 * room, to: top + room, title: expected },
      marks: curves,
      words: `The ${noun} against model size at ${flops(C)} FLOP: a valley, with the best size at its floor.`,
    });

    const lineOf = ({ constants }) => sizes.map((N) => (
      [N, C * (N / optimum(constants, C).params) ** (1 + constants.alpha / constants.beta)]));
    const ends = lineOf(chosen);
    const low = Math.max(ends[0][1], C / 1e5), high = Math.min(ends[150][1], C * 1e5);
    const others = Object.values(laws).filter((each) => each !== chosen && !chosen.own);
    const runs = { kind: "area", y: [low, Math.min(high, chosen.largest)], colour: 6, label: "budgets of its runs" };
    const band = () => ({ kind: "band", across: true, 
      points: spaced(Math.max(low, chosen.sizes[0].flops), high, 41).map((c) => [c, ...spanOf(c)]) });
    frontier.draw({
      x,
      y: { from: low, to: high, log: true, title: "Budget [FLOP], with the best size at each" },
      marks: [
        chosen.largest > low && runs,
        ...others.map((each, k) => line(lineOf(each),
          { colour: "quiet", width: 1, label: !k && "the other fits", at: 0.75 })),
        span && band(),
        line(ends, { label: "best sizes by this law", at: 0.75, dash: !settled }),
        { kind: "rule", y: C, label: "your budget", at: 0 },
        ...points,
      ].filter(Boolean),
      words: `The best size grows as the budget to the power ${number(law.beta / (law.alpha + law.beta))}.`,
    });
  });
});
})();

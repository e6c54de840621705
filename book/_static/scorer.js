// The order of search results: chapters, then other pages, then names of the package. The numbers are those of Sphinx,
// but what it gives to names only for being names.
var Scorer = {
  score: ([page, title, anchor, description, score]) =>
    score + (page.startsWith("notebooks/") ? 20 : page.startsWith("book/api") || anchor?.startsWith("#scaling.") ? -20 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 0, 1: 0, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

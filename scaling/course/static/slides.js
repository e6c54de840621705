// The slides are 1280 by 720 dots. What would not fit is set in smaller letters, so that nothing is cut.
(function () {
  const STEP = 0.95, READABLE = 0.6, LEAST = 0.4;
  // little is set large
  const MOST = { result: 1.5, code: 1.25, text: 1.15, formula: 1.2 };

  function fits(part) {
    return part.scrollHeight <= part.clientHeight + 1 && part.scrollWidth <= part.clientWidth + 1;
  }

  // a figure that moves is built a moment after its slide is shown
  function builds(section) {
    return section.querySelector(".moving:not(.moving-built)") !== null;
  }

  function fit(section) {
    const body = section.querySelector(".body");
    if (!body || !body.clientWidth || section.dataset.fitted) return;
    if (builds(section) && !section.dataset.awaited) {
      section.dataset.awaited = "yes";
      const built = new MutationObserver(() => {
        if (builds(section)) return;
        built.disconnect();
        requestAnimationFrame(() => fit(section));
      });
      built.observe(section, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
    }
    const kind = Object.keys(MOST).find((name) => section.classList.contains(name));
    for (let size = MOST[kind] || 1; size > LEAST; size *= STEP) {
      section.classList.toggle("wrapped", size < READABLE);
      section.style.setProperty("--size", size.toFixed(3));
      if (fits(body)) break;
    }
    if (!builds(section)) section.dataset.fitted = "yes";
  }

  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    hash: true,
    slideNumber: "c/t",
    transition: "none",
    pdfSeparateFragments: false,
    plugins: [RevealNotes],
  });
  Reveal.on("ready", (event) => fit(event.currentSlide));
  Reveal.on("slidechanged", (event) => fit(event.currentSlide));
  Reveal.on("pdf-ready", () => Reveal.getSlides().forEach(fit));
})();

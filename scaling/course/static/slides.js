// The slides are 1280 by 720 dots. What would not fit is set in smaller letters, so that nothing is cut.
(function () {
  const STEP = 0.94, LEAST = 0.4;

  function fits(part) {
    return part.scrollHeight <= part.clientHeight + 1 && part.scrollWidth <= part.clientWidth + 1;
  }

  function fit(section) {
    const body = section.querySelector(".body");
    if (!body || !body.clientWidth || section.dataset.fitted) return;
    for (let size = 1; !fits(body) && size > LEAST; size *= STEP) {
      section.style.setProperty("--size", (size * STEP).toFixed(3));
    }
    section.dataset.fitted = "yes";
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

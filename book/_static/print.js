// On paper the colours are those of the light theme, whatever the screen has; folded tables are open (but those within
// others, the hundreds of chapter 20), and a short cell is not divided.
(() => {
  const root = document.documentElement;
  const LINES = 10;
  let screen = null;
  const folded = () => document.querySelectorAll(".cell_output details:not([open], details details)");
  addEventListener("beforeprint", () => {
    if (screen) return;
    screen = { theme: root.dataset.theme, folded: [...folded()] };
    root.dataset.theme = "light";
    for (const details of screen.folded) details.open = true;
    for (const code of document.querySelectorAll(".cell_input pre")) {
      code.closest(".cell_input").classList.toggle("short", code.textContent.split("\n").length <= LINES);
    }
  });
  addEventListener("afterprint", () => {
    if (!screen) return;
    root.dataset.theme = screen.theme;
    for (const details of screen.folded) details.open = false;
    screen = null;
  });
})();

// Light or dark: as the system says, until the button says otherwise.

const name = "hayate.theme", root = document.documentElement, button = document.querySelector("#theme");
const system = matchMedia("(prefers-color-scheme: dark)");

function apply() {
  const theme = localStorage.getItem(name) ?? (system.matches ? "dark" : "light");
  root.dataset.theme = theme;
  button.textContent = theme === "dark" ? "☀" : "☾";
}

button.addEventListener("click", () => {
  const theme = root.dataset.theme === "dark" ? "light" : "dark";
  if (theme === (system.matches ? "dark" : "light")) localStorage.removeItem(name);
  else localStorage.setItem(name, theme);
  apply();
});
system.addEventListener("change", apply);
apply();

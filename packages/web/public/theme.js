// Before the first paint, so that nothing flashes: the theme and density somebody chose on this device.
try {
  const { theme, density } = JSON.parse(localStorage.getItem("fed.appearance") ?? "{}");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  if (density === "compact") document.documentElement.dataset.density = density;
} catch {
  // Storage is not allowed here: what the system prefers will do.
}

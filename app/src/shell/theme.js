// Runs before the first paint, so that a chosen theme does not flash.
try {
  const theme = localStorage.getItem("pitwall-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // The person keeps nothing on this site: the system's theme it is.
}

// Before the first paint, so that a dark screen never flashes white. What the person has chosen is kept by app/appearance.ts.
(function () {
  let kept = null;
  try {
    kept = localStorage.getItem('holdfast-theme');
  } catch {
    // A browser that keeps nothing: as the system is.
  }
  const dark = kept === 'dark' || (kept !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();

// Before the first paint, so that a dark screen never flashes white and the texts come beside the program, not after it. What the person has
// chosen is kept by app/appearance.ts; which files the texts are in is written by scripts/bundle-renderer.mjs.
(function () {
  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      // A browser that keeps nothing: as the system is.
      return null;
    }
  };
  const theme = kept('holdfast-theme');
  const dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');

  const known = /^(zh|en)(-|$)/i;
  const language = kept('holdfast-language') ?? navigator.languages.find((each) => known.test(each)) ?? 'en';
  const texts = document.querySelector(`meta[name="texts-${/^zh/i.test(language) ? 'zh-CN' : 'en'}"]`);
  if (texts === null) return;
  const ahead = document.createElement('link');
  ahead.rel = 'modulepreload';
  ahead.href = texts.content;
  document.head.append(ahead);
})();

/** Gives a page to the person: to the printer, or as a file. */

/** Opens the print dialog for a page of its own, which is not shown otherwise. */
export async function printPage(html: string): Promise<void> {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'position:fixed;width:0;height:0;border:0;visibility:hidden';
  frame.setAttribute('aria-hidden', 'true');
  frame.tabIndex = -1;
  // No script in it would run, and it can go nowhere.
  frame.setAttribute('sandbox', 'allow-same-origin allow-modals');
  frame.srcdoc = html;
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  document.body.append(frame);
  await loaded;
  const page = frame.contentWindow;
  if (!page) return;
  page.addEventListener('afterprint', () => frame.remove(), { once: true });
  page.print();
}

/** Saves a page where the browser saves files. */
export function savePage(html: string, name: string): void {
  const address = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  const link = document.createElement('a');
  link.href = address;
  // Without the signs that file names cannot have somewhere.
  link.download = `${name.replace(/[/\\:*?"<>|]/g, '-')}.html`;
  link.click();
  URL.revokeObjectURL(address);
}

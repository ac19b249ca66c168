/** The recovery kit as a page of its own: it needs no program but a browser, and nothing from anywhere. */
import i18next from 'i18next';
import type { RecoveryKit } from '../../../src/contract/kit.ts';
import { spoken } from '../../i18n/i18n.ts';
import { exact } from '../../ui/format.ts';

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const safe = (text: string): string => text.replace(/[&<>"']/g, (sign) => signs[sign] ?? sign);

const style = `body{font:14px/1.5 system-ui,sans-serif;color:#000;background:#fff;max-width:720px;margin:32px auto;padding:0 24px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:15px;margin:24px 0 4px}p{margin:4px 0}
dl{display:grid;grid-template-columns:180px 1fr;gap:4px 16px;margin:12px 0}dt{color:#444}dd{margin:0;overflow-wrap:anywhere}
code,pre{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}pre{white-space:pre-wrap;border:1px solid #999;padding:8px;margin:4px 0}
ol{columns:2;margin:4px 0;padding-left:24px}li{font-weight:600}.line{border-bottom:1px solid #000;height:24px;display:block}
@media print{body{margin:0}}`;

/** Where the page holds its facts once more, for Holdfast itself: see read.ts. A browser does not run it. */
export const kitDataId = 'holdfast-recovery-kit';

/** The whole page as HTML. Every word from elsewhere is escaped. */
export function kitPage(kit: RecoveryKit): string {
  const { t } = i18next;
  const facts: [string, string | undefined][] = [
    [t('kit.page.place'), kit.place],
    [t('kit.page.volume'), kit.volume ? `${kit.volume.uuid} · ${kit.volume.pathWithin === '' ? '/' : kit.volume.pathWithin}` : undefined],
    [t('kit.page.repository'), kit.repository],
    [t('kit.page.computer'), `${kit.hostname} (${kit.username})`],
    [t('kit.page.madeAt'), exact(kit.madeAt)],
  ];
  const title = safe(t('kit.page.title', { name: kit.destination.name }));
  const rows = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`<dt>${safe(name)}</dt><dd><code>${safe(value)}</code></dd>`],
  );
  const password = kit.password === null ? '<span class="line"></span>' : `<code>${safe(kit.password)}</code>`;
  const credentials = kit.credentials.map((name) => `<dt>${safe(name)}</dt><dd><span class="line"></span></dd>`);
  const plans = kit.plans.map(({ name, sources }) => `<p><strong>${safe(name)}</strong>: ${safe(sources.join(', '))}</p>`);
  const commands = (heading: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `<h2>${safe(heading)}</h2>${lines.map((line) => `<pre>${safe(line)}</pre>`).join('')}`;
  return `<!doctype html><html lang="${spoken()}"><meta charset="utf-8"><title>${title}</title><style>${style}</style>
<main><h1>${title}</h1><p>${safe(t('kit.page.text'))}</p>
<dl>${rows.join('')}<dt>${safe(t('kit.page.password'))}</dt><dd>${password}</dd>${credentials.join('')}</dl>
<h2>${safe(t('kit.page.words'))}</h2><ol>${kit.checkWords.map((word) => `<li>${safe(word)}</li>`).join('')}</ol>
<h2>${safe(t('kit.page.protects'))}</h2>${plans.join('')}
<h2>${safe(t('kit.page.how'))}</h2><p>${safe(t('kit.page.howText'))}</p>
${commands(t('kit.page.withHoldfast'), kit.commands.holdfast)}${commands(t('kit.page.withRestic'), kit.commands.restic)}</main>
<script type="application/json" id="${kitDataId}">${JSON.stringify(kit).replaceAll('<', '\\u003c')}</script>
</html>`;
}

/** A receipt to save: as text, as a page, as data. */
import type { RestoreReceipt } from '../../contract/restore-request.ts';
import { formatBytes } from '../../platform/sizes.ts';
import { type ReceiptWords, receiptWords } from './receipt-words.ts';

export type ReceiptFormat = 'text' | 'json' | 'html';
export type ReceiptLanguage = 'en' | 'zh-CN';

export interface ReceiptFile {
  readonly name: string;
  readonly mediaType: string;
  readonly text: string;
}

const mediaTypes = { text: 'text/plain', json: 'application/json', html: 'text/html' } as const;
const endings = { text: 'txt', json: 'json', html: 'html' } as const;

export function receiptFile(receipt: RestoreReceipt, format: ReceiptFormat, language: ReceiptLanguage): ReceiptFile {
  const words = receiptWords[language];
  const day = new Date(receipt.ended).toISOString().slice(0, 10);
  const rows = rowsOf(receipt, words, language);
  const text =
    format === 'json'
      ? `${JSON.stringify(receipt, undefined, 2)}\n`
      : format === 'text'
        ? plain(receipt, words, rows)
        : page(receipt, words, rows, language);
  return { name: `holdfast-restore-${receipt.run}-${day}.${endings[format]}`, mediaType: mediaTypes[format], text };
}

type Row = readonly [name: string, value: string];

function rowsOf(receipt: RestoreReceipt, words: ReceiptWords, language: ReceiptLanguage): Row[] {
  const moment = (at: number): string => new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'long' }).format(at);
  const count = (value: number): string => new Intl.NumberFormat(language).format(value);
  const { target, compared, error, snapshot } = receipt;
  return [
    [words.result, words.results[receipt.result]],
    ...(error ? ([[words.error, `${error.message} ${error.guidance}`]] as const) : []),
    [words.snapshot, `${moment(snapshot.time)} · ${snapshot.hostname} · ${snapshot.key.slice(0, 8)}`],
    [words.readFrom, receipt.destination.name],
    ...receipt.failedDestinations.map(({ name, error: why }): Row => [words.failedBefore, `${name}: ${why.message}`]),
    ...(receipt.rescued ?? []).map(({ name, pieces }): Row => [words.rescued, words.rescuedText(count(pieces), name)]),
    [words.items, receipt.items.join('\n')],
    [words.target, target.kind === 'original' ? words.original : target.path],
    [words.conflicts, words.policies[receipt.conflicts]],
    [words.started, moment(receipt.started)],
    [words.ended, moment(receipt.ended)],
    [words.created, count(receipt.created)],
    [words.replaced, count(receipt.replaced)],
    [words.beside, count(receipt.beside)],
    [words.same, count(receipt.same)],
    [words.kept, count(receipt.kept)],
    [words.folders, count(receipt.folders)],
    [words.bytes, formatBytes(receipt.bytesWritten)],
    [words.compared, compared ? words.comparedText(count(compared.entries), formatBytes(compared.bytes), count(compared.different)) : '–'],
    ...(receipt.undo === null ? [] : ([[words.undo, receipt.undo]] as const)),
    [words.problems, count(receipt.problemCount)],
  ];
}

function plain({ problems }: RestoreReceipt, words: ReceiptWords, rows: readonly Row[]): string {
  const lines = rows.map(([name, value]) => `${name}: ${value.split('\n').join('\n    ')}`);
  return [words.title, '', ...lines, '', ...problems.map(({ path, message }) => `- ${path}: ${message}`), ''].join('\n');
}

function page({ problems }: RestoreReceipt, words: ReceiptWords, rows: readonly Row[], language: ReceiptLanguage): string {
  const table = rows.map(([name, value]) => `<tr><th scope="row">${safe(name)}</th><td>${safe(value).replaceAll('\n', '<br>')}</td></tr>`);
  const list = problems.map(({ path, message }) => `<li><code>${safe(path)}</code>: ${safe(message)}</li>`);
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${safe(words.title)}</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f1f; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #d7dcdc; overflow-wrap: anywhere }
th { font-weight: 500; width: 14rem; color: #4a5454 }
</style>
</head>
<body>
<h1>${safe(words.title)}</h1>
<table>
${table.join('\n')}
</table>
${list.length === 0 ? '' : `<ul>\n${list.join('\n')}\n</ul>\n`}</body>
</html>
`;
}

/** Names of files may hold anything; lone surrogates, which stand for bytes that are no UTF-8, have no place in a page. */
const safe = (text: string): string =>
  text.toWellFormed().replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Compares two texts line by line. */
import type { Comparison } from '../../contract/browse.ts';

type Lines = Extract<Comparison, { kind: 'text' }>['lines'];

/** More differing lines than that take too long to find, and nobody reads them. */
const mostEdits = 3000;
const mostLines = 20_000;

/** `isCut`: the texts are only the beginnings of what they are of. */
export async function compareTexts(before: string, after: string, context: number, isCut: boolean): Promise<Comparison> {
  // Loaded when it is first used.
  const { diffLines } = await import('diff');
  const parts = diffLines(before, after, { maxEditLength: mostEdits, stripTrailingCr: true });
  if (!parts) return { kind: 'none', reason: 'too-different' };
  const lines: Lines = [];
  let [beforeLine, afterLine, added, removed] = [1, 1, 0, 0];
  for (const [i, part] of parts.entries()) {
    const texts = linesOf(part.value);
    if (part.added) {
      for (const text of texts) lines.push({ kind: 'added', after: afterLine++, text });
      added += texts.length;
    } else if (part.removed) {
      for (const text of texts) lines.push({ kind: 'removed', before: beforeLine++, text });
      removed += texts.length;
    } else {
      const head = i === 0 ? 0 : context;
      const tail = i === parts.length - 1 ? 0 : context;
      const hidden = texts.length - head - tail;
      for (const [at, text] of texts.entries()) {
        if (hidden <= 1 || at < head || at >= texts.length - tail) lines.push({ kind: 'same', before: beforeLine, after: afterLine, text });
        else if (at === head) lines.push({ kind: 'gap', lines: hidden });
        beforeLine += 1;
        afterLine += 1;
      }
    }
  }
  return { kind: 'text', lines: lines.slice(0, mostLines), added, removed, isCut: isCut || lines.length > mostLines };
}

/** Without the breaks; what ends with one has no empty line behind it. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

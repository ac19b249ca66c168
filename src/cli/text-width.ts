/** How many columns of a terminal a text takes, and cutting it to fit. */

const segmenter = new Intl.Segmenter();
/** East Asian characters and emoji that terminals show two columns wide (Unicode, East Asian Width W and F, by their blocks). */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Characters that are shown on top of the one before them, or not at all. */
const zero = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const plainAscii = /^[\x20-\x7e]*$/;

const segmentWidth = (segment: string): number => (zero.test(segment) ? 0 : wide.test(segment) || segment.includes('\ufe0f') ? 2 : 1);

export function textWidth(text: string): number {
  if (plainAscii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += segmentWidth(segment);
  return width;
}

/** `text` filled up with blanks to `width` columns; at its left end with `right`. */
export function pad(text: string, width: number, right = false): string {
  const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
  return right ? blanks + text : text + blanks;
}

/** The end of `text` that fits into `width` columns, behind an ellipsis when something was cut: the end of a path says most. */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 1) return '';
  const kept: string[] = [];
  let left = width - 1;
  for (const { segment } of [...segmenter.segment(text)].reverse()) {
    const needs = segmentWidth(segment);
    if (needs > left) break;
    left -= needs;
    kept.push(segment);
  }
  return `…${kept.reverse().join('')}`;
}

/** Tables for people: columns as wide as their longest text, two blanks between them. */
import { pad, textWidth } from './text-width.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
}

/** The lines of a table: titles, a rule, rows. Texts must be printable. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => textWidth(row[i]))));
  const lines = all.map((row) =>
    row
      .map((text, i) => pad(text, widths[i], columns[i].right))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0], rule, ...lines.slice(1)];
}

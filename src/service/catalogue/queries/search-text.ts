/** What a person types into the search, made ready. */
import { accepts } from '../../../engine/backup/patterns.ts';
import { globTest } from '../../../engine/find/glob.ts';
import { fold } from '../names.ts';

export interface SearchText {
  /** Whether a name, folded, is what is looked for. */
  matches(folded: string): boolean;
  /** What each such name has in it; empty: nothing certain. */
  readonly part: string;
  /** The same for the index of parts, as its query; undefined: it is too short for that. */
  readonly query: string | undefined;
}

/** As many characters are one entry of the index. */
const indexedLength = 3;
const loneSurrogate = /\p{Surrogate}/u;

/** Throws `bad-usage` for a pattern that cannot be read. */
export function searchText(text: string, as: 'part' | 'pattern' = /[*?]/.test(text) ? 'pattern' : 'part'): SearchText {
  const folded = fold(text);
  if (as === 'part') return { matches: (name) => name.includes(folded), ...indexed(folded) };
  const segment = { test: globTest(folded, text, false), ignoreCase: false };
  return { matches: (name) => accepts(segment, name, name), ...indexed(longestLiteral(folded)) };
}

function indexed(part: string): Pick<SearchText, 'part' | 'query'> {
  // The database knows no characters that stand for bytes.
  if (loneSurrogate.test(part)) return { part: '', query: undefined };
  const characters = [...part];
  if (characters.length < indexedLength) return { part, query: undefined };
  const pieces = new Set(
    characters.slice(0, 1 - indexedLength + characters.length).map((_, at) => characters.slice(at, at + indexedLength).join('')),
  );
  return { part, query: [...pieces].map((piece) => `"${piece.replaceAll('"', '""')}"`).join(' AND ') };
}

/** The longest piece of a pattern that stands for itself. */
function longestLiteral(pattern: string): string {
  const pieces = pattern
    .replace(/\\./gu, '*')
    .replace(/\[\^?\]?[^\]]*\]/gu, '*')
    .split(/[*?]/u);
  return pieces.reduce((longest, piece) => (piece.length > longest.length ? piece : longest), '');
}

/**
 * Exclude patterns, read as git reads a line of .gitignore (gitignore(5); the grammar of brackets is that of git's wildmatch.c).
 *
 * A pattern without a slash, or with one only at its end, is about a *name* in any folder; any other is about a *path* from the source
 * folder and is cut into *segments*, one for each name on the way. In a segment `*` is any run of characters, `?` any one, `[…]` one of
 * a set, `\` takes the next character literally; the segment `**` is any number of folders. A character is a Unicode character or one
 * byte that is not UTF-8 (see name-text.ts); git counts bytes here, which tells only for `?` and sets beyond ASCII.
 */

/** Tests one name. `text` is the name's text, `folded` its lower-case form (only looked at by patterns that ignore case). */
export type NameTest =
  | { readonly kind: 'any' }
  | { readonly kind: 'never' }
  /** The name is `text`. */
  | { readonly kind: 'literal'; readonly text: string }
  /** The name begins with `start`, ends with `end`, and these do not overlap. */
  | { readonly kind: 'affix'; readonly start: string; readonly end: string }
  | { readonly kind: 'contains'; readonly text: string }
  | { readonly kind: 'regex'; readonly regex: RegExp };

export type Segment = { readonly globstar: true } | { readonly globstar: false; readonly test: NameTest; readonly ignoreCase: boolean };

export interface Pattern {
  /** Re-includes what an earlier pattern excluded. */
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
  /** Begins with a slash or with a drive (`C:/`), so that it may be an absolute path. */
  readonly rooted: boolean;
  /** One segment and true: a name in any folder. */
  readonly anyFolder: boolean;
  readonly segments: readonly Segment[];
}

/** Why a pattern can never match anything. */
export type PatternFault = 'unterminated bracket' | 'unknown character class' | 'backslash at the end' | 'empty';

/** A piece of a pattern. The `source` of a set is that of a regular expression. */
export type Token =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'one' }
  | { readonly type: 'star' }
  | { readonly type: 'slash' }
  | { readonly type: 'set'; readonly source: string };

/** @param text the pattern as text of its bytes (see name-text.ts), without line end */
export function parsePattern(text: string, ignoreCase: boolean): Pattern | PatternFault {
  const negated = text.startsWith('!');
  let rest = negated ? text.slice(1) : text;
  const directoriesOnly = rest.endsWith('/');
  if (directoriesOnly) rest = rest.slice(0, -1);
  if (rest === '') return 'empty';
  const isPath = rest.includes('/');
  const rooted = rest.startsWith('/') || /^[A-Za-z]:\//.test(rest);
  if (rest.startsWith('/')) rest = rest.slice(1);
  const tokens = tokenize(rest);
  if (typeof tokens === 'string') return tokens;
  const groups = splitAtSlashes(tokens);
  const segments: Segment[] = [];
  for (const [i, group] of groups.entries()) {
    const isGlobstar = isPath && group.length >= 2 && group.every((token) => token.type === 'star');
    if (!isGlobstar) segments.push({ globstar: false, test: nameTest(group, ignoreCase), ignoreCase });
    else {
      if (segments.at(-1)?.globstar !== true) segments.push({ globstar: true });
      // At the end it means everything inside, that is, at least one more name.
      if (i === groups.length - 1) segments.push({ globstar: false, test: { kind: 'any' }, ignoreCase });
    }
  }
  // `**/name` is the same as `name`, and the latter is tested faster.
  const anyFolder = !isPath || (segments.length === 2 && segments[0]!.globstar);
  return { negated, directoriesOnly, rooted, anyFolder, segments: anyFolder ? segments.slice(-1) : segments };
}

/** Whether `test` accepts a name. */
export function accepts(segment: { readonly test: NameTest; readonly ignoreCase: boolean }, text: string, folded: string): boolean {
  const { test } = segment;
  const name = segment.ignoreCase ? folded : text;
  switch (test.kind) {
    case 'any':
      return true;
    case 'never':
      return false;
    case 'regex':
      return test.regex.test(text);
    case 'literal':
      return name === test.text;
    case 'affix':
      return name.length >= test.start.length + test.end.length && name.endsWith(test.end) && name.startsWith(test.start);
    case 'contains':
      return name.includes(test.text);
  }
}

function tokenize(pattern: string): Token[] | PatternFault {
  const characters = [...pattern];
  const tokens: Token[] = [];
  const literal = (text: string): void => {
    const last = tokens.at(-1);
    if (last?.type === 'text') tokens[tokens.length - 1] = { type: 'text', text: last.text + text };
    else tokens.push({ type: 'text', text });
  };
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '*') tokens.push({ type: 'star' });
    else if (character === '?') tokens.push({ type: 'one' });
    else if (character === '/') tokens.push({ type: 'slash' });
    else if (character === '[') {
      const set = readSet(characters, at + 1);
      if (typeof set === 'string') return set;
      tokens.push({ type: 'set', source: set.source });
      at = set.end;
    } else if (character === '\\') {
      const escaped = characters[++at];
      if (escaped === undefined) return 'backslash at the end';
      if (escaped === '/') tokens.push({ type: 'slash' });
      else literal(escaped);
    } else literal(character);
  }
  return tokens;
}

/** `character` in a regular expression. */
export const escaped = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`;

/** git's own, ASCII only. */
const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\x2f:-@\\x5b-`\\x7b-~',
  space: ' \\t\\n\\r',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

/**
 * Reads the set whose first member is at `at`.
 * @returns its regular expression and the position of the closing bracket
 */
function readSet(characters: readonly string[], at: number): { source: string; end: number } | PatternFault {
  const negated = characters[at] === '!' || characters[at] === '^';
  if (negated) at++;
  let members = '';
  /** The character that a `-` would make the start of a range. */
  let start = '';
  // The first member is read before looking for the end, so that `[]]` is the set of `]`.
  do {
    let character = characters[at];
    if (character === undefined) return 'unterminated bracket';
    if (character === '-' && start !== '' && characters[at + 1] !== undefined && characters[at + 1] !== ']') {
      character = characters[++at]!;
      if (character === '\\') character = characters[++at];
      if (character === undefined) return 'unterminated bracket';
      if (start.codePointAt(0)! <= character.codePointAt(0)!) members += `${escaped(start)}-${escaped(character)}`;
      start = '';
    } else if (character === '[' && characters[at + 1] === ':') {
      const end = characters.indexOf(']', at + 2);
      if (end < 0) return 'unterminated bracket';
      if (end > at + 2 && characters[end - 1] === ':') {
        const name = characters.slice(at + 2, end - 1).join('');
        if (!Object.hasOwn(classes, name)) return 'unknown character class';
        members += classes[name];
        start = '';
        at = end;
      } else {
        members += escaped('[');
        start = '[';
      }
    } else {
      if (character === '\\') character = characters[++at];
      if (character === undefined) return 'unterminated bracket';
      members += escaped(character);
      start = character;
    }
    at++;
  } while (characters[at] !== ']');
  return { source: `[${negated ? '^' : ''}${members}]`, end: at };
}

function splitAtSlashes(tokens: readonly Token[]): Token[][] {
  const groups: Token[][] = [[]];
  for (const token of tokens) {
    if (token.type === 'slash') groups.push([]);
    else groups.at(-1)!.push(token);
  }
  return groups;
}

/** Only ASCII folds to itself alone; anything else is left to the regular expression's Unicode case folding. */
const isAsciiText = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** A stray byte could match the second half of a character in a plain comparison of strings. */
const isPlain = (text: string, ignoreCase: boolean): boolean => (ignoreCase ? isAsciiText(text) : !/[\udc80-\udcff]/u.test(text));

/** The test of one name. `group` holds no slash. */
export function nameTest(group: readonly Token[], ignoreCase: boolean): NameTest {
  // Nothing has an empty name: `a//b` matches nothing.
  if (group.length === 0) return { kind: 'never' };
  const tokens = group.filter((token, i) => token.type !== 'star' || group[i - 1]?.type !== 'star');
  const shape = tokens.map((token) => (token.type === 'text' ? 't' : token.type === 'star' ? '*' : '?')).join('');
  const texts = tokens.flatMap((token) => (token.type === 'text' ? [ignoreCase ? token.text.toLowerCase() : token.text] : []));
  if (shape === '*') return { kind: 'any' };
  if (texts.every((text) => isPlain(text, ignoreCase))) {
    if (shape === 't') return { kind: 'literal', text: texts[0]! };
    if (shape === '*t') return { kind: 'affix', start: '', end: texts[0]! };
    if (shape === 't*') return { kind: 'affix', start: texts[0]!, end: '' };
    if (shape === 't*t') return { kind: 'affix', start: texts[0]!, end: texts[1]! };
    if (shape === '*t*') return { kind: 'contains', text: texts[0]! };
  }
  return { kind: 'regex', regex: new RegExp(regexSource(tokens), ignoreCase ? 'iu' : 'u') };
}

/**
 * A glob in which each piece between two stars is taken at its first place and never reconsidered (which finds a match if there is one),
 * so that no pattern takes more than quadratic time. JavaScript lacks atomic groups; a lookahead with a back reference is one.
 */
function regexSource(tokens: readonly Token[]): string {
  const pieces: string[] = [''];
  for (const token of tokens) {
    if (token.type === 'star') pieces.push('');
    else if (token.type === 'text') pieces[pieces.length - 1] += [...token.text].map(escaped).join('');
    else if (token.type === 'set') pieces[pieces.length - 1] += token.source;
    else pieces[pieces.length - 1] += '[^]';
  }
  const [first, ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return `^${first}$`;
  const middle = others.map((piece, i) => `(?=([^]*?${piece}))\\${i + 1}`);
  return `^${first}${middle.join('')}[^]*${last}$`;
}

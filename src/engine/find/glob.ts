/**
 * Patterns of names as restic's find reads them: Go's filepath.Match. `*` is any run of characters, `?` any one, `[a-z]` one of a set,
 * `[^a-z]` one that is not in it, `\\` takes the next character literally. (Excludes are read as git reads them: see backup/patterns.ts.)
 */
import { fail } from '../../contract/errors.ts';
import { escaped, type NameTest, nameTest, type Token } from '../backup/patterns.ts';

/** The test that `part` of `pattern` stands for; it holds no slash. Throws `bad-usage`. */
export function globTest(part: string, pattern: string, ignoreCase: boolean): NameTest {
  const characters = [...part];
  const tokens: Token[] = [];
  const literal = (text: string): void => {
    const last = tokens.at(-1);
    if (last?.type === 'text') tokens[tokens.length - 1] = { type: 'text', text: last.text + text };
    else tokens.push({ type: 'text', text });
  };
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at];
    if (character === '*') tokens.push({ type: 'star' });
    else if (character === '?') tokens.push({ type: 'one' });
    else if (character === '[') {
      const set = readSet(characters, at + 1, pattern);
      tokens.push({ type: 'set', source: set.source });
      at = set.end;
    } else if (character === '\\') literal(characters[++at] ?? refuse(pattern, 'a backslash stands at its end'));
    else literal(character);
  }
  return nameTest(tokens, ignoreCase);
}

const refuse = (pattern: string, why: string): never =>
  fail('bad-usage', {
    problem: `The pattern “${pattern}” cannot be read: ${why}.`,
    guidance: 'Put a backslash before a bracket that is meant literally.',
  });

/** Reads the set whose first member is at `at`. Gives its regular expression and the position of the closing bracket. */
function readSet(characters: readonly string[], at: number, pattern: string): { source: string; end: number } {
  const isNegated = characters[at] === '^';
  if (isNegated) at++;
  const members: string[] = [];
  const member = (): string => {
    if (characters[at] === '-' || characters[at] === ']') return refuse(pattern, 'a set in brackets lacks a character');
    if (characters[at] === '\\') at++;
    return characters[at++] ?? refuse(pattern, 'a bracket is not closed');
  };
  while (members.length === 0 || characters[at] !== ']') {
    const low = member();
    let high = low;
    if (characters[at] === '-') {
      at++;
      high = member();
    }
    // A range the wrong way round holds nothing.
    members.push(low.codePointAt(0)! <= high.codePointAt(0)! ? `${escaped(low)}-${escaped(high)}` : '');
  }
  return { source: `[${isNegated ? '^' : ''}${members.join('')}]`, end: at };
}

/** Which verb the arguments name, found without the parser: the host of the service is small, and does not load it. */

/** Options of the program itself that are followed by a value. */
export const optionsWithValue: ReadonlySet<string> = new Set([
  '-r',
  '--repo',
  '-p',
  '--password-file',
  '--credentials-file',
  '--limit-upload',
  '--limit-download',
]);

/** Undefined when none is named. */
export function verbOf(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const word = args[at];
    if (word === '--') return args[at + 1];
    if (!word.startsWith('-') || word === '-') return word;
    if (optionsWithValue.has(word)) at++;
  }
  return undefined;
}

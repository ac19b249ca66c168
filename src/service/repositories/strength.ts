/** How strong a password is, by zxcvbn's estimate; its lists are loaded when it is first asked. */
import type { PasswordStrength } from '../../contract/passwords.ts';

/** More is not looked at: it costs time, and so long a password is strong whatever follows. */
const looked = 128;
/** Who has the repository's files can try so many in a second: each takes a run of scrypt. */
const triesPerSecond = 10_000;

type Check = (password: string, personal: string[]) => Omit<PasswordStrength, 'crackSeconds'>;

let loaded: Promise<Check> | undefined;

export async function strengthOf(password: string, personal: readonly string[]): Promise<PasswordStrength> {
  loaded ??= load();
  const check = await loaded;
  const words = personal.flatMap((text) => [text, ...text.split(/[\s.@_-]+/)]).filter((word) => word.length > 2);
  const found = check(password.slice(0, looked), words);
  return { ...found, crackSeconds: Math.min(Number.MAX_SAFE_INTEGER, 10 ** found.guessesLog10 / triesPerSecond) };
}

async function load(): Promise<Check> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ]);
  // Without translations, the feedback is given by name.
  const zxcvbn = new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
  });
  return (password, personal) => {
    const { score, guessesLog10, feedback } = zxcvbn.check(password, personal);
    return { score, guessesLog10, warning: feedback.warning || null, suggestions: feedback.suggestions };
  };
}

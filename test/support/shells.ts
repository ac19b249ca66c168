/** What shells offer for a line, as they find it out themselves. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from './cli.ts';
import { commandOnTerminal } from './terminal.ts';
import { scratch, whenTestsEnd } from './tree-literal.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** The candidates for the end of `line`, without what the shell puts behind them, sorted; `script` completes `holdfast`. */
export async function candidates(shell: Shell, script: string, line: string, cwd: string): Promise<string[]> {
  const file = join(scratch('completion'), 'script');
  writeFileSync(file, script);
  const found = shell === 'bash' ? inBash(file, line, cwd) : shell === 'fish' ? inFish(file, line, cwd) : await inZsh(file, line, cwd);
  return [...new Set(found)].sort();
}

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: cleanEnvironment({ HOME: cwd, LC_ALL: 'C.UTF-8' }),
  });
  if (status !== 0 || stderr !== '') throw new Error(`${program} exited with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** As readline calls the function: it takes `=` for a word of its own. */
function inBash(file: string, line: string, cwd: string): string[] {
  const words = line.split(' ').flatMap((word) => (/^--[a-z-]+=/.test(word) ? splitAtSign(word) : [word]));
  const asked = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return lines(run('bash', ['--norc', '--noprofile', '-uc', asked, 'bash', file, ...words], cwd));
}

function splitAtSign(word: string): string[] {
  const at = word.indexOf('=');
  const value = word.slice(at + 1);
  return [word.slice(0, at), '=', ...(value === '' ? [] : [value])];
}

const inFish = (file: string, line: string, cwd: string): string[] =>
  lines(run('fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', file, line], cwd)).map((text) =>
    text.split('\t')[0]!.replace(/^--[a-z-]+=/, ''),
  );

/** What zsh finds out about all that it could complete, which takes longer than the rest, is found out once. */
let zshPlace: string | undefined;
whenTestsEnd(() => zshPlace && rmSync(zshPlace, { recursive: true, force: true }));

/** zsh completes only at a terminal: there, what its functions offer is written out instead of shown. */
async function inZsh(file: string, line: string, cwd: string): Promise<string[]> {
  const setup = join(scratch('zsh'), 'setup');
  writeFileSync(
    setup,
    String.raw`
cd ${JSON.stringify(cwd)}
autoload -Uz compinit
compinit -u -d ${JSON.stringify(join((zshPlace ??= mkdtempSync(join(tmpdir(), 'holdfast-zsh-'))), 'dump'))}
source ${JSON.stringify(file)}
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
# Else a long list of candidates is asked about first, and nobody answers.
unsetopt auto_list
compadd() {
  if [[ " $* " == *' '-(O|A|D)' '* ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits prefix
  zparseopts -E -a ignored P:=prefix
  builtin compadd -A hits "$@"
  print -rl -- $'\n'HIT:$^hits:END
  # Whoever finds nothing added looks elsewhere.
  builtin compadd "$@"
}
finish() { print -r -- 'THE''END'; exit }
comppostfuncs=(finish)
PROMPT='READY''> '
`,
  );
  const { screen } = await commandOnTerminal(['/usr/bin/zsh', '-f', '-i'], {
    env: { HOME: cwd, PROMPT: 'FIRST> ', LC_ALL: 'C.UTF-8' },
    columns: 500,
    steps: [
      { after: 'FIRST> ', type: `source ${setup}\r` },
      { after: 'READY> ', type: `${line}\t` },
    ],
  });
  if (!screen.includes('THEEND')) throw new Error(`zsh did not complete:\n${screen}`);
  return [...screen.matchAll(/HIT:(.*?):END/g)].map(([, hit]) => hit!);
}

const lines = (text: string): string[] => text.split('\n').filter((each) => each !== '');

/**
 * The manual page in roff, with the macros of man(7). Everything is ASCII: other characters, and those that typesetters would
 * make prettier than a shell understands, are written by their names.
 */
import type { Overview } from '../overview.ts';
import { allCommands, type ArgumentFacts, type CommandFacts, type OptionFacts } from './program-facts.ts';

export interface ManPageFacts {
  readonly program: CommandFacts;
  readonly overview: Overview;
  readonly version: string;
  /** `2026-01-31`: when this version was made. */
  readonly date: string;
}

const named: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '"': '\\(dq',
  '^': '\\(ha',
  '~': '\\(ti',
  '…': '...',
  '“': '\\(lq',
  '”': '\\(rq',
};

const escape = (text: string): string =>
  text.replace(/[\\\-'`"^~]|[^\x20-\x7e]/gu, (character) => {
    const code = character.codePointAt(0)!;
    return named[character] ?? `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
  });

/** A line of text: what begins with a full stop would be a request. */
const line = (text: string): string => escape(text).replace(/^\./, '\\&.');

/** Longer lines of the source are frowned upon. */
const sourceLine = 80;

/** Text that is filled, on lines of a good length. */
function filled(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).map(line)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= sourceLine) lines[lines.length - 1] = `${last} ${word.replace(/^\\&/, '')}`;
    else lines.push(word);
  }
  return lines;
}

const bold = (text: string): string => `\\fB${escape(text)}\\fR`;
const italic = (text: string): string => `\\fI${escape(text)}\\fR`;

const literal = (lines: readonly string[]): string[] => ['.PP', '.RS 4', '.nf', ...lines.map(line), '.fi', '.RE'];

/** `text` is not empty. */
const term = (head: string, text: string): string[] => ['.TP', head, ...filled(text)];

function optionTerm({ short, long, value, description }: OptionFacts): string[] {
  const flags = [short, long].filter((flag) => flag !== undefined).map(bold);
  return term(`${flags.join(', ')}${value ? ` ${italic(value.name)}` : ''}`, sentence(description));
}

const argumentTerm = ({ name, isVariadic, description }: ArgumentFacts): string[] =>
  term(`${italic(name)}${isVariadic ? ' ...' : ''}`, sentence(description));

const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`);

/** Help text: paragraphs stand at the margin, lists and examples are indented. */
function paragraphs(text: string): string[] {
  const out: string[] = [];
  for (const block of text.split(/\n\s*\n/)) {
    const lines = block.split('\n').filter((each) => each.trim() !== '');
    const firstIndented = lines.findIndex((each) => each.startsWith('  '));
    const words = firstIndented < 0 ? lines : lines.slice(0, firstIndented);
    if (words.length > 0) out.push('.PP', ...filled(words.join(' ')));
    if (firstIndented >= 0) out.push(...literal(lines.slice(firstIndented).map((each) => each.replace(/^ {2}/, ''))));
  }
  return out;
}

function verbSection(command: CommandFacts): string[] {
  return [
    `.SS "${escape(command.usage)}"`,
    ...filled(sentence(capitalised(command.description))),
    ...command.arguments.flatMap(argumentTerm),
    ...command.options.filter(({ long }) => long !== '--help').flatMap(optionTerm),
    ...(command.text === '' ? [] : paragraphs(command.text)),
  ];
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function manPage({ program, overview, version, date }: ManPageFacts): string {
  const { about, places, environment, exitCodes, examples } = overview;
  return [
    '.\\" Made by "holdfast man".',
    `.TH HOLDFAST 1 ${date} "Holdfast ${version}" "User Commands"`,
    // Names that are typed must not be hyphenated, nor blanks be stretched.
    '.nh',
    '.ad l',
    '.SH NAME',
    `holdfast \\- backups you can prove`,
    '.SH SYNOPSIS',
    line(program.usage),
    '.SH DESCRIPTION',
    ...filled(program.description),
    '.PP',
    ...filled(about),
    '.SH OPTIONS',
    'These may stand before or behind the verb.',
    ...program.options.flatMap(optionTerm),
    '.SH VERBS',
    ...allCommands(program).flatMap(verbSection),
    '.SH REPOSITORIES',
    'A repository is a folder, or:',
    ...places.flatMap(([place, meaning]) => term(bold(place), sentence(capitalised(meaning)))),
    '.SH ENVIRONMENT',
    ...environment.flatMap(([name, meaning]) => term(bold(name), sentence(capitalised(meaning)))),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(([code, meaning]) => term(bold(String(code)), sentence(capitalised(meaning)))),
    '.SH EXAMPLES',
    ...literal(examples).slice(1),
    '.SH SEE ALSO',
    `${bold('restic')}(1), whose repository format this is`,
    '',
  ].join('\n');
}

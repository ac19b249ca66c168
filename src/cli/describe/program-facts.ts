/**
 * The program's verbs and options as plain data, read from the same definitions as the help: what shell completions and the
 * manual page are made of, so that neither can lack a verb or tell of one that is not there.
 */
import type { Argument, Command, Option } from 'commander';
import { collect } from '../arguments.ts';

/** What may be typed for a value. */
export type ValueKind =
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Nothing that could be offered. */
  | { readonly kind: 'text' };

export interface ValueFacts {
  /** As the help calls it. */
  readonly name: string;
  readonly offers: ValueKind;
}

export interface OptionFacts {
  /** With two dashes, or one; at least one of both is there. */
  readonly long: string | undefined;
  readonly short: string | undefined;
  /** Undefined for an option that is only there or not. */
  readonly value: ValueFacts | undefined;
  readonly isRepeatable: boolean;
  readonly description: string;
}

export interface ArgumentFacts extends ValueFacts {
  readonly isRequired: boolean;
  /** It takes all words that follow. */
  readonly isVariadic: boolean;
  readonly description: string;
}

export interface CommandFacts {
  /** The verbs that lead to it, without the program's name; empty for the program itself. */
  readonly verbs: readonly string[];
  /** The line that the help calls usage. */
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly ArgumentFacts[];
  /** Its own; those of the program may stand anywhere. */
  readonly options: readonly OptionFacts[];
  readonly commands: readonly CommandFacts[];
  /** What stands below the help: paragraphs, and lists and examples as indented lines. */
  readonly text: string;
}

/** Describes a program with all its verbs. */
export const factsOf = (program: Command): CommandFacts => describe(program, []);

function describe(command: Command, verbs: readonly string[]): CommandFacts {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((each) => describe(each, [...verbs, each.name()]));
  const names = commands.map((each) => each.verbs.at(-1)!);
  return {
    verbs,
    usage: help.commandUsage(command),
    description: help.commandDescription(command),
    arguments: command.registeredArguments.map((argument) => argumentFacts(argument, help.argumentDescription(argument))),
    options: help.visibleOptions(command).map((option) => optionFacts(option, help.optionDescription(option))),
    commands: commands.map((each) => (each.verbs.at(-1) === 'help' ? helpFacts(each, namesOf(command), names) : each)),
    text: textBelow(command),
  };
}

/** Every command below, each before its own. */
export const allCommands = (facts: CommandFacts): CommandFacts[] => facts.commands.flatMap((each) => [each, ...allCommands(each)]);

/** With those above, the program's first. */
const namesOf = (command: Command): string[] => [...(command.parent ? namesOf(command.parent) : []), command.name()];

/** Commander makes the verb "help" itself, and knows neither where it belongs nor that it takes verbs. */
const helpFacts = (facts: CommandFacts, above: readonly string[], verbs: readonly string[]): CommandFacts => ({
  ...facts,
  usage: [...above, facts.usage].join(' '),
  arguments: facts.arguments.map((argument) => ({ ...argument, description: 'the verb', offers: { kind: 'words', words: verbs } })),
});

function optionFacts(option: Option, description: string): OptionFacts {
  const { short, long, flags, argChoices, parseArg } = option;
  const name = /[<[](.*)[>\]]$/.exec(flags)?.[1];
  return {
    long,
    short,
    value: name === undefined ? undefined : { name, offers: offersOf(name, argChoices) },
    isRepeatable: option.variadic || parseArg === (collect as typeof parseArg),
    description,
  };
}

const argumentFacts = (argument: Argument, description: string): ArgumentFacts => ({
  name: argument.name(),
  offers: offersOf(argument.name(), argument.argChoices),
  isRequired: argument.required,
  isVariadic: argument.variadic,
  description,
});

const files: ReadonlySet<string> = new Set(['file', 'path', 'source']);
const folders: ReadonlySet<string> = new Set(['folder', 'place']);

function offersOf(name: string, choices: readonly string[] | undefined): ValueKind {
  if (choices) return { kind: 'words', words: choices };
  if (files.has(name)) return { kind: 'file' };
  if (folders.has(name)) return { kind: 'folder' };
  return name.startsWith('snapshot') ? { kind: 'words', words: ['latest'] } : { kind: 'text' };
}

/** What `addHelpText('after', …)` adds: commander gives it only together with the help before it. */
function textBelow(command: Command): string {
  let text = '';
  const before = command.configureOutput();
  command.configureOutput({ writeOut: (piece) => void (text += piece) });
  command.outputHelp();
  command.configureOutput(before);
  return text.slice(command.helpInformation().length).trim();
}

/** Options about what to leave out by name, of the verbs that leave things out. */
import { type Command, Option } from 'commander';
import type { ExcludeOptions } from '../engine/backup/exclude.ts';
import { excludePresets } from '../engine/backup/exclude-presets.ts';
import { nameBytes } from '../engine/backup/name-text.ts';
import { collect } from './arguments.ts';
import { readInput } from './sources.ts';

export interface PatternOptions {
  readonly exclude?: readonly string[];
  readonly iexclude?: readonly string[];
  readonly excludeFile?: readonly string[];
  readonly iexcludeFile?: readonly string[];
  readonly preset?: readonly string[];
}

export const addPatternOptions = (command: Command): Command =>
  command
    .option('--exclude <pattern>', 'leave out what matches (may be repeated)', collect)
    .option('--iexclude <pattern>', 'the same, upper and lower case being equal (may be repeated)', collect)
    .option('--exclude-file <file>', 'read patterns from a file (may be repeated)', collect)
    .option('--iexclude-file <file>', 'the same, upper and lower case being equal (may be repeated)', collect)
    .addOption(
      new Option('--preset <name>', 'leave out a well-known set, see below (may be repeated)')
        .choices(excludePresets.map(({ name }) => name))
        .argParser(collect),
    );

/** A line for each set. */
export const presetsHelp = excludePresets.map(({ name, label }) => `  ${name.padEnd(14)}${label}`).join('\n');

/** Reads the files of patterns. Throws `input-unreadable`. */
export function patternsOf({ exclude, iexclude, excludeFile, iexcludeFile, preset }: PatternOptions): ExcludeOptions {
  const file = (name: string, ignoreCase: boolean): { name: string; content: Buffer; ignoreCase: boolean } => ({
    name,
    content: readInput(name, 'a file of exclude patterns'),
    ignoreCase,
  });
  return {
    patterns: exclude?.map(nameBytes),
    patternsIgnoringCase: iexclude?.map(nameBytes),
    files: [...(excludeFile ?? []).map((name) => file(name, false)), ...(iexcludeFile ?? []).map((name) => file(name, true))],
    presets: preset,
  };
}

/** Whether any of the options was given. */
export const hasPatterns = (options: PatternOptions): boolean =>
  [options.exclude, options.iexclude, options.excludeFile, options.iexcludeFile, options.preset].some((list) => list !== undefined);

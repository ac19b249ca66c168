/** Where a verb's file adds itself to the program. */
import type { Command } from 'commander';
import type { Verb, VerbFacts } from './run-verb.ts';

export interface Verbs {
  readonly program: Command;
  /** The action of a command: reads the global options and runs the verb. */
  run(command: Command, facts: VerbFacts, verb: Verb): Promise<void>;
}

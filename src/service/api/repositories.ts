/** What the procedures about places, kits, passwords and diagnostics do. */
import { implement } from '@orpc/server';
import { connectionsContract } from '../../contract/connections.ts';
import { diagnosticsContract } from '../../contract/diagnostics.ts';
import { kitContract } from '../../contract/kit.ts';
import { passwordsContract } from '../../contract/passwords.ts';
import type { App } from '../app.ts';
import { lookInto, testPlace } from '../repositories/connections.ts';
import { diagnosticsFile } from '../repositories/diagnostics.ts';
import { strengthOf } from '../repositories/strength.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function repositoryHandlers({ common, kits, destinations, library, whole }: App, version: string) {
  const connections = implement(connectionsContract).$context<Caller>().connections;
  const kit = implement(kitContract).$context<Caller>().kit;
  const passwords = implement(passwordsContract).$context<Caller>().passwords;
  const diagnostics = implement(diagnosticsContract).$context<Caller>().diagnostics;
  return {
    connections: {
      test: connections.test.handler(({ input }) => testPlace(common, input)),
      look: connections.look.handler(({ input }) => lookInto(common, input)),
    },
    kit: {
      make: kit.make.handler(({ input: { destination, password, language } }) => kits.make(destination, password, language)),
      ask: kit.ask.handler(({ input }) => kits.ask(input.destination)),
      answer: kit.answer.handler(({ input }) => kits.answer(input.destination, input.words)),
      saved: kit.saved.handler(() => kits.saved()),
    },
    passwords: {
      strength: passwords.strength.handler(({ input }) => strengthOf(input.password, input.personal)),
      change: passwords.change.handler(async ({ input }) => {
        const changed = await destinations.changePassword(input.destination, input.old, input.new);
        library.books.drop(input.destination);
        return changed;
      }),
    },
    diagnostics: {
      make: diagnostics.make.handler(({ input }) => diagnosticsFile({ ...common, whole, version }, input.format)),
    },
  };
}

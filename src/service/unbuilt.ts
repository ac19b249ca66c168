/** What is in the contract and not built yet. */
import { implement } from '@orpc/server';
import { fail } from '../contract/errors.ts';
import { contract } from '../contract/procedures.ts';
import type { Caller } from './router.ts';

const later = (): never => fail('request-invalid', { problem: 'this is not built yet' });

// The type is written by the library.
export function unbuiltHandlers() {
  const os = implement(contract).$context<Caller>();
  return {
    files: {
      suggested: os.files.suggested.handler(later),
      folder: os.files.folder.handler(later),
      sizes: os.files.sizes.handler(later),
      capacity: os.files.capacity.handler(later),
      protection: {
        begin: os.files.protection.begin.handler(later),
        page: os.files.protection.page.handler(later),
        end: os.files.protection.end.handler(later),
      },
    },
    connections: {
      test: os.connections.test.handler(later),
      look: os.connections.look.handler(later),
    },
    kit: {
      make: os.kit.make.handler(later),
      ask: os.kit.ask.handler(later),
      answer: os.kit.answer.handler(later),
      saved: os.kit.saved.handler(later),
    },
    passwords: {
      strength: os.passwords.strength.handler(later),
      change: os.passwords.change.handler(later),
    },
    diagnostics: {
      make: os.diagnostics.make.handler(later),
    },
  };
}

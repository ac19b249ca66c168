/**
 * Another process at work on a local storage, for tests of killing, tracing and permissions. Arguments: what to do, the
 * repository's folder, then per verb; prints `ok`, or the code of the error, as the last line.
 *
 *     save-each COUNT SIZE   saves packs one after the other; prints each name when it is durable
 *     save-kinds             saves one file of every kind, in the order config, key, pack, index, snapshot, lock
 *     replace-config COUNT   replaces config that often; prints the number of each replacement when it is durable
 *     save | load | list | remove NAME
 */

import { createHash, randomBytes } from 'node:crypto';
import { HoldfastError } from '../../src/contract/errors.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import type { FileKind, StoredFile } from '../../src/storage/storage.ts';

const [verb, folder = '', first = '', second = ''] = process.argv.slice(2);
const storage = new LocalStorage(folder);
const file: StoredFile = { kind: 'pack', name: first };

async function saveNew(kind: FileKind, size: number): Promise<string> {
  const content = randomBytes(size);
  const name = kind === 'config' ? '' : createHash('sha256').update(content).digest('hex');
  await storage.save({ kind, name }, [content.subarray(0, size / 2), content.subarray(size / 2)]);
  return name;
}

async function run(): Promise<void> {
  if (verb === 'save-each') for (let n = 0; n < Number(first); n++) console.log(await saveNew('pack', Number(second)));
  else if (verb === 'save-kinds')
    for (const kind of ['config', 'key', 'pack', 'index', 'snapshot', 'lock'] as const)
      console.log(`${kind} ${await saveNew(kind, 3_000_000)}`);
  else if (verb === 'replace-config')
    for (let n = 1; n <= Number(first); n++) {
      await storage.replaceConfig([Buffer.alloc(100_000 + n, n)]);
      console.log(n);
    }
  else if (verb === 'save') await storage.save(file, [Buffer.from('content')]);
  else if (verb === 'load') await storage.load(file);
  else if (verb === 'list') for await (const _ of storage.list('pack'));
  else if (verb === 'remove') await storage.remove(file);
  else throw new TypeError(`no verb: ${verb}`);
}

try {
  await run();
  console.log('ok');
} catch (error) {
  if (!(error instanceof HoldfastError)) throw error;
  console.log(error.code);
}

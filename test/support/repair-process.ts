/**
 * A repair in a process of its own, to be killed:
 *
 *     node repair-process.ts REPOSITORY PASSWORD index|packs|snapshots|recover KEEP-IN
 *
 * Prints `ready` when the repository is open and `done` at the end.
 */
import { executeRepairIndex } from '../../src/engine/repair/repair-index.ts';
import { executeRepairPacks } from '../../src/engine/repair/repair-packs.ts';
import { executeRepairSnapshots } from '../../src/engine/repair/repair-snapshots.ts';
import { executeRecover } from '../../src/engine/recover.ts';
import { identity, openRepository, runOptions } from './engine.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

const [folder = '', password = '', verb = '', keepIn = ''] = process.argv.slice(2);
const repository = await openRepository(folder, password);
console.log('ready');
const options = { ...runOptions(), packSize: 48 << 10 };
if (verb === 'index') await executeRepairIndex(repository, { readAllPacks: true }, options);
else if (verb === 'packs') await executeRepairPacks(repository, { packs: 'all' }, { ...options, keepIn });
else if (verb === 'snapshots') await executeRepairSnapshots(repository, { forget: true }, options);
else await executeRecover(repository, { ...options, identity });
console.log('done');
exitAtOnce(0);

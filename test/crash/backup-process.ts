/**
 * A backup in a process of its own, to be killed:
 *
 *     node backup-process.ts REPOSITORY SOURCE
 *
 * Prints `ready` when the repository is open and `done SNAPSHOT ADOPTED-PACKS` at the end.
 */
import { backup, openRepository } from '../support/engine.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

/** What it prints. */
export type Line = 'ready' | `done ${string} ${number}`;

const say = (line: Line): void => console.log(line);

const [folder = '', source = ''] = process.argv.slice(2);
const repository = await openRepository(folder);
say('ready');
const { snapshot, adoptedPacks } = await backup(repository, source, { packSize: 1 << 20 });
say(`done ${snapshot} ${adoptedPacks}`);
exitAtOnce(0);

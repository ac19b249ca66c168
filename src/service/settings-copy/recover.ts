/** Settings that come back from a repository: which there are, and taking one of them over. */
import type { Destination } from '../../contract/destination.ts';
import { fail } from '../../contract/errors.ts';
import { inRole, type Plan, roles } from '../../contract/plan.ts';
import { isFinal } from '../../contract/run.ts';
import type { RecoverableSettings } from '../../contract/recovery.ts';
import { dumpFile } from '../../engine/dump.ts';
import type { RunOptions } from '../../engine/run.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { takeCapacityOver } from '../capacity/memory.ts';
import { noteKitSaved } from '../facts/kits.ts';
import { mergedNotes, recallNotes, rememberNotes } from '../library/notes.ts';
import type { StateStore } from '../state/store.ts';
import { copyFolderName, copyPathIn, parseCopy, type SettingsCopy } from './copy.ts';

/** No settings are larger. */
const mostBytes = 64 << 20;

/** The newest settings of each person on each computer, newest first. Those that cannot be read are passed over for older ones. */
export async function findSettings(
  repository: Repository,
  options: RunOptions,
): Promise<{ found: RecoverableSettings; copy: SettingsCopy }[]> {
  const groups = Map.groupBy(
    (await repository.snapshots(() => {})).filter((snapshot) => folderIn(snapshot) !== undefined).reverse(),
    ({ hostname, username }) => JSON.stringify([hostname, username]),
  );
  const all: { found: RecoverableSettings; copy: SettingsCopy }[] = [];
  for (const snapshots of groups.values()) {
    for (const snapshot of snapshots) {
      const copy = await readFrom(repository, snapshot, options);
      if (!copy) continue;
      const { savedAt, hostname, username, plans, destinations } = copy;
      const names = { plans: plans.map(({ name }) => name), destinations: destinations.map(({ name }) => name) };
      all.push({ found: { snapshot: snapshot.id, savedAt, hostname, username, ...names }, copy });
      break;
    }
  }
  return all.sort((a, b) => b.copy.savedAt - a.copy.savedAt);
}

/**
 * Takes settings over into a profile that has no plan yet. Destinations that are connected already stay as they are; of the others the
 * secrets are not known, so that they want a password before they can be used. Paths in the person's home folder go to that of this computer.
 * A plan of which no destination can be read is left out.
 * Throws `profile-in-use`, `state-failed`.
 */
export function takeOver(state: StateStore, copy: SettingsCopy, home: string): { plans: Plan[]; destinations: Destination[] } {
  if (state.plans().length > 0) return fail('profile-in-use');
  const connected = state.destinations();
  /** What a destination of the copy is called here. */
  const idHere = new Map<string, string>();
  const added: Destination[] = [];
  for (const destination of copy.destinations) {
    const same = connected.find(({ repository }) => repository === destination.repository);
    idHere.set(destination.id, same?.id ?? destination.id);
    if (!same) added.push(destination);
  }
  const plans = copy.plans.flatMap((plan): Plan[] => {
    const destinations = destinationsHere(plan, idHere);
    if (destinations.length === 0) return [];
    const moved = (path: string): string => movedHome(path, copy.home, home);
    const sources = plan.sources.map((source) => ({ ...source, path: moved(source.path) }));
    return [{ ...plan, sources, destinations, excludes: { ...plan.excludes, patterns: plan.excludes.patterns.map(moved) } }];
  });
  // Nobody here works on one that has not ended.
  const ended = copy.runs.filter(({ status, ended }) => isFinal(status) && ended !== null);
  const runs = ended.map((run) => ({ ...run, destination: run.destination && (idHere.get(run.destination) ?? run.destination) }));
  state.takeOver({ settings: copy.settings, plans, destinations: added, runs }, () => {
    rememberNotes(state, mergedNotes(recallNotes(state), copy.notes));
    for (const [repository, at] of Object.entries(copy.kits)) noteKitSaved(state, repository, at);
    takeCapacityOver(state, copy.capacity);
  });
  return { plans, destinations: added };
}

/** Each once, one of them primary, though rows were lost; none when all were. */
function destinationsHere({ destinations }: Plan, idHere: ReadonlyMap<string, string>): Plan['destinations'] {
  const known = new Map<string, Plan['destinations'][number]>();
  for (const each of destinations.toSorted((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role))) {
    const id = idHere.get(each.destination);
    if (id === undefined || known.has(id)) continue;
    const role = known.size === 0 ? 'primary' : each.role === 'primary' ? 'standby' : each.role;
    known.set(id, { ...inRole(each, role), destination: id });
  }
  return [...known.values()];
}

/** A path below one home folder, as it would be below the other. */
export function movedHome(path: string, from: string, to: string): string {
  if (from === '' || to === '' || from === to) return path;
  if (path === from) return to;
  const separator = from.includes('\\') ? '\\' : '/';
  return path.startsWith(from + separator) ? to + path.slice(from.length).replaceAll(separator, to.includes('\\') ? '\\' : '/') : path;
}

const folderIn = ({ paths }: Snapshot): string | undefined => paths.find((path) => path.split(/[\\/]/).at(-1) === copyFolderName);

async function readFrom(repository: Repository, snapshot: Snapshot, options: RunOptions): Promise<SettingsCopy | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    await dumpFile(repository, { snapshot, path: copyPathIn(folderIn(snapshot)!) }, options, (piece) => {
      bytes += piece.length;
      if (bytes > mostBytes) throw new Error('no settings are so large');
      pieces.push(Uint8Array.from(piece));
    });
  } catch {
    return undefined;
  }
  return parseCopy(Buffer.concat(pieces));
}

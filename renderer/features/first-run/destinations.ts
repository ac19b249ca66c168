/** Which drives can be a destination, and what place a choice means. */
import type { MountedDrive } from '../../../src/contract/drive.ts';
import { folderName } from '../../ui/format.ts';
import { type Answers, credentialsOf, nameOf, placeOf, type ServerKind } from '../connect/kinds.ts';
import type { WhereChoice } from './store.ts';

/** Mounted by the system for itself: nobody plugs these in. */
const ofSystem = /^\/(boot|efi|snap|var|run\/(?!media\/)|dev|proc|sys|usr|etc|tmp|nix|recovery)(\/|$)/;

/** Drives that a person could mean, those that can be unplugged first, then the roomiest. */
export function usableDrives(drives: readonly MountedDrive[]): MountedDrive[] {
  const free = ({ space }: MountedDrive): number => space?.freeBytes ?? 0;
  return drives
    .filter(({ mountPoint, isReadOnly }) => !isReadOnly && mountPoint !== '/' && mountPoint !== '/home' && !ofSystem.test(mountPoint))
    .toSorted((a, b) => Number(b.isRemovable) - Number(a.isRemovable) || free(b) - free(a));
}

/** What a person calls a drive: its label, else the folder that it is at. */
export const driveName = ({ name, mountPoint }: Pick<MountedDrive, 'name' | 'mountPoint'>): string =>
  name === '' ? folderName(mountPoint) : name;

/** Backups lie in a folder of their own, so that the drive can hold other things. */
export const folderOnDrive = (mountPoint: string): string => {
  const separator = mountPoint.includes('\\') ? '\\' : '/';
  return `${mountPoint.replace(/[/\\]+$/, '')}${separator}Holdfast`;
};

interface Chosen {
  readonly where: WhereChoice | undefined;
  readonly folder: string;
  readonly serverKind: ServerKind;
  readonly answers: Answers;
}

/** The place, its credentials, and its name. The choice must be complete. */
export function wantedPlace(
  { where, folder, serverKind, answers }: Chosen,
  drives: readonly MountedDrive[],
): { readonly place: string; readonly credentials: Record<string, string>; readonly name: string } {
  if (where?.kind === 'server')
    return { place: placeOf(serverKind, answers), credentials: credentialsOf(serverKind, answers), name: nameOf(serverKind, answers) };
  if (where?.kind === 'drive') {
    const drive = drives.find(({ mountPoint }) => mountPoint === where.mountPoint);
    return {
      place: folderOnDrive(where.mountPoint),
      credentials: {},
      name: driveName(drive ?? { name: '', mountPoint: where.mountPoint }),
    };
  }
  return { place: folder.trim(), credentials: {}, name: folderName(folder.trim()) };
}

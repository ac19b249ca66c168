/** How a destination is, as it is drawn and said. */
import i18next from 'i18next';
import type { DestinationState, DestinationView } from '../../../src/contract/destination.ts';
import { bytes } from '../../ui/format.ts';
import type { KnownError } from '../../ui/error-words.ts';
import type { Condition } from '../../ui/StateDot.tsx';

export const conditionOf = (state: DestinationState): Condition => {
  if (state.state === 'connected') return 'fine';
  return state.state === 'failing' ? 'risk' : 'idle';
};

/** In words: "connected, 1.2 TB free". */
export function stateWords({ now }: Pick<DestinationView, 'now'>): string {
  const { t } = i18next;
  if (now.state === 'connected' && now.freeBytes !== undefined)
    return t('destinations.state.connectedFree', { free: bytes(now.freeBytes) });
  return t(`destinations.state.${now.state}`);
}

/** Why it cannot be used, as an error that names it: what is kept of the error does not say what it is about. Undefined where it is well. */
export const failureOf = ({ name, place, now }: Pick<DestinationView, 'name' | 'place' | 'now'>): KnownError | undefined =>
  now.state === 'failing' ? { ...now, context: { location: place, server: name, name } } : undefined;

/** What kind of place it is: a server's, by the word before the colon, a drive's, or a folder's. */
export function kindOf({ place, volume }: Pick<DestinationView, 'place' | 'volume'>): 'drive' | 'folder' | 'server' | 'cloud' {
  if (volume) return 'drive';
  const kind = /^([a-z][a-z0-9]+):/.exec(place)?.[1];
  if (kind === undefined) return 'folder';
  return kind === 'sftp' || kind === 'rest' ? 'server' : 'cloud';
}

/** Of which repositories it was shown that the recovery kit is saved, and when. */
import { z } from 'zod';
import type { StateStore } from '../state/store.ts';

const name = 'kits saved';
const schema = z.record(z.string(), z.number()).catch({});

/** By the repository's ID. */
export const kitsSaved = (state: Pick<StateStore, 'recall'>): Record<string, number> => schema.parse(state.recall(name));

export function noteKitSaved(state: Pick<StateStore, 'recall' | 'remember'>, repository: string, at: number): void {
  state.remember(name, { ...kitsSaved(state), [repository]: at });
}

/** Whether the index tells of all that there is: what it does not tell of must not be given up as lost. */
import { fail } from '../../contract/errors.ts';
import type { RepairIndexPlan } from './index-plan.ts';

const some = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** Throws `index-incomplete` when a repair of the index might find more. */
export function refuseIncompleteIndex({ damagedIndexFiles, changes }: RepairIndexPlan): void {
  if (damagedIndexFiles.length > 0)
    fail('index-incomplete', { problem: some(damagedIndexFiles.length, 'index file is damaged', 'index files are damaged') });
  const unknown = changes.filter(({ action }) => action === 'add').length;
  if (unknown > 0) fail('index-incomplete', { problem: some(unknown, 'pack is in no index', 'packs are in no index') });
  const wrong = changes.filter(({ action }) => action === 'correct').length;
  if (wrong > 0) fail('index-incomplete', { problem: some(wrong, 'pack is not as the index describes it', 'packs are not as the index describes them') });
}

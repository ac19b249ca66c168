/** How fast restores are, by those that were made. */
import { restoreReceiptSchema } from '../../contract/restore-request.ts';
import type { StateStore } from '../state/store.ts';

/** Receipts that are looked at, and speeds that count. */
const looked = 200;
const counted = 5;
/** A smaller one says nothing about speed. */
const leastBytes = 1_000_000;

export interface MeasuredRestore {
  readonly run: number;
  readonly plan: string | null;
  readonly at: number;
  readonly bytes: number;
  readonly bytesPerSecond: number | undefined;
  /** Undefined when nothing was compared. */
  readonly compared: { readonly entries: number; readonly different: number } | undefined;
}

/** Newest first. */
export function measuredRestores(state: Pick<StateStore, 'runDetails'>): MeasuredRestore[] {
  return state.runDetails.receipts(looked).flatMap(({ run, plan, receipt }) => {
    const { success, data } = restoreReceiptSchema.safeParse(receipt);
    if (!success || (data.result !== 'succeeded' && data.result !== 'completed-with-warnings')) return [];
    const seconds = (data.ended - data.started) / 1000;
    const isTelling = data.bytesWritten >= leastBytes && seconds > 0;
    const bytesPerSecond = isTelling ? data.bytesWritten / seconds : undefined;
    return [{ run, plan, at: data.ended, bytes: data.bytesWritten, bytesPerSecond, compared: data.compared ?? undefined }];
  });
}

/** The median of the newest that tell one; undefined when none does. Bytes a second. */
export function restoreSpeed(restores: readonly MeasuredRestore[]): { bytesPerSecond: number; measured: number } | undefined {
  const speeds = restores
    .flatMap(({ bytesPerSecond }) => bytesPerSecond ?? [])
    .slice(0, counted)
    .sort((a, b) => a - b);
  return speeds.length === 0 ? undefined : { bytesPerSecond: speeds[Math.floor(speeds.length / 2)]!, measured: speeds.length };
}

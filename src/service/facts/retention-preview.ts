/** Which snapshots a retention keeps, and why: by the same rules that a backup's end goes by. */
import type { Retention } from '../../contract/plan.ts';
import type { RetentionRow } from '../../contract/previews.ts';
import { planRetention } from '../../engine/retention.ts';
import { policyOf } from '../runs/retain.ts';
import type { SnapshotView } from '../../contract/snapshots.ts';

type Reason = RetentionRow['reasons'][number];

/** `snapshots` are those of one plan; the rows are newest first. Throws `retention-empties-group`. */
export function retentionRows(snapshots: readonly SnapshotView[], retention: Retention, now: number): RetentionRow[] {
  const policy = policyOf(retention);
  const keptAll: Reason[] = [{ rule: 'all', isOldest: false }];
  if (!policy) return snapshots.map((snapshot) => ({ snapshot, reasons: keptAll }));
  const judged = snapshots
    .filter(({ pinned }) => !pinned)
    .map((view) => ({ id: view.key, time: new Date(view.time).toISOString(), paths: [], view }));
  const reasons = new Map<string, Reason[]>();
  for (const { keep } of planRetention(judged, policy, { now, groupBy: { host: false, paths: false, tags: false } }))
    for (const { snapshot, reasons: texts } of keep) reasons.set(snapshot.id, texts.map(reasonOf));
  return snapshots.map((snapshot) => ({
    snapshot,
    reasons: snapshot.pinned ? [{ rule: 'pinned', isOldest: false }] : (reasons.get(snapshot.key) ?? []),
  }));
}

/** The engine says them as restic does: `oldest daily snapshot`, `within 7d`. */
function reasonOf(text: string): Reason {
  const isOldest = text.startsWith('oldest ');
  const [word] = text.replace(/^oldest /, '').split(' ');
  const rules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'within'] as const;
  return { rule: rules.find((rule) => rule === word) ?? 'within', isOldest };
}

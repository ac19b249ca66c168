/** The snapshots of a scope, oldest first, kept right while new ones come. */
import { useEffect } from 'react';
import type { z } from 'zod';
import { isFinal } from '../../../src/contract/run.ts';
import type { askedSchema, SnapshotView } from '../../../src/contract/snapshots.ts';
import { api } from '../../api.ts';
import { onServiceEvent } from '../../live.ts';
import { type Answer, useAnswer } from '../../ui/use-answer.ts';
import { queryOf } from './scopes.ts';

export interface ScopeSnapshots {
  readonly snapshots: readonly SnapshotView[];
  /** How far the destinations could be asked. */
  readonly asked: readonly z.infer<typeof askedSchema>[];
}

/** More than a screen can show apart; older ones are found by search. */
const mostSnapshots = 20_000;

export function useSnapshots(scope: string): Answer<ScopeSnapshots> {
  const query = queryOf(scope);
  const answer = useAnswer(query && scope, async (signal) => {
    const snapshots: SnapshotView[] = [];
    let asked: ScopeSnapshots['asked'] = [];
    let cursor: string | undefined;
    do {
      const page = await api.snapshots.list({ ...query, limit: 1000, ...(cursor === undefined ? {} : { cursor }) }, { signal });
      snapshots.push(...page.snapshots);
      asked = page.asked;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined && snapshots.length < mostSnapshots);
    return { snapshots: snapshots.toReversed(), asked };
  });
  const { again } = answer;
  useEffect(
    () =>
      onServiceEvent((event) => {
        if (event.type === 'run' && isFinal(event.run.status)) again();
      }),
    [again],
  );
  return answer;
}

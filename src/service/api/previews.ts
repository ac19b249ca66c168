/** What the procedures that show a plan's doings beforehand do. */
import { implement } from '@orpc/server';
import { previewsContract } from '../../contract/previews.ts';
import type { App } from '../app.ts';
import { retentionRows } from '../facts/retention-preview.ts';
import { schedulePreview } from '../facts/schedule-preview.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function previewHandlers({ library, state, clock }: App) {
  const os = implement(previewsContract).$context<Caller>().previews;
  return {
    previews: {
      retention: os.retention.handler(async ({ input: { plan: id, retention, destination, after, limit } }) => {
        const plan = state.plan(id);
        const { snapshots, asked } = await library.list({ plan: id, destination });
        const rows = retentionRows(snapshots, retention ?? plan.retention, clock.now());
        const kept = rows.filter(({ reasons }) => reasons.length > 0).length;
        return { rows: rows.slice(after, after + limit), kept, removed: rows.length - kept, asked };
      }),
      schedule: os.schedule.handler(({ input: { schedule, plan, count } }) =>
        schedulePreview(schedule, plan === undefined ? {} : state.runs.successes(plan), clock.now(), count),
      ),
    },
  };
}

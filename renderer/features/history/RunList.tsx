import { CalendarClock } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Run } from '../../../src/contract/run.ts';
import type { ServiceEvent } from '../../../src/contract/state.ts';
import { api } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { bytes, moment, span } from '../../ui/format.ts';
import { type Condition, StateDot } from '../../ui/StateDot.tsx';
import { HistoryList, HistoryRow } from './HistoryList.tsx';

/** How a run's status is drawn. */
export const conditionOf = (status: Run['status']): Condition => {
  if (status === 'succeeded') return 'fine';
  if (status === 'completed-with-warnings') return 'attention';
  if (status === 'failed') return 'risk';
  if (status === 'running' || status === 'waiting') return 'working';
  return status === 'paused' ? 'paused' : 'idle';
};

const isNews = (event: ServiceEvent): boolean => event.type === 'run';

interface RunListProps {
  readonly plan: string | null;
  /** The newest to list; undefined: the newest that there is. */
  readonly from: number | undefined;
}

/** All runs. */
export function RunList({ plan, from }: RunListProps) {
  const now = useNow(60_000);
  return (
    <HistoryList
      name={`runs ${plan ?? ''} ${from ?? ''}`}
      what="runs"
      icon={CalendarClock}
      ask={async (cursor, signal) => {
        const before = cursor === undefined ? from && from + 1 : Number(cursor);
        const asked = { limit: 200, ...(plan === null ? {} : { plan }), ...(before === undefined ? {} : { before }) };
        const { runs, next } = await api.runs.list(asked, { signal });
        return { rows: runs, next: next === null ? null : String(next) };
      }}
      isNews={isNews}
      addressOf={({ id }) => `/history/run/${id}`}
      row={(run) => <Row run={run} now={now} />}
    />
  );
}

function Row({ run, now }: { readonly run: Run; readonly now: number }) {
  const { t } = useTranslation();
  const took = run.ended === null || run.started === null ? undefined : (run.ended - run.started) / 1000;
  return (
    <HistoryRow
      icon={<StateDot state={conditionOf(run.status)} />}
      title={
        <>
          <strong>{t(`history.kind.${run.kind}`)}</strong> {run.planName === '' ? '' : `· ${run.planName} `}
          {run.destinationName === '' ? '' : `· ${run.destinationName}`}
        </>
      }
      facts={[
        t(`history.status.${run.status}`),
        run.problems > 0 ? t('history.runs.unread', { count: run.problems }) : undefined,
        run.figures && run.figures.bytesStored > 0 ? t('history.runs.stored', { size: bytes(run.figures.bytesStored) }) : undefined,
        took === undefined ? undefined : span(took),
      ]}
      when={moment(run.started ?? run.created, now)}
    />
  );
}

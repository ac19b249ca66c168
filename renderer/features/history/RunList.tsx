import { Button } from '@mantine/core';
import { CalendarClock } from 'lucide-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useNow } from '../../clock.ts';
import type { Run } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { onServiceEvent } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, moment, span } from '../../ui/format.ts';
import { type Condition, StateDot } from '../../ui/StateDot.tsx';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import styles from './RunList.module.css';

/** How a run's status is drawn. */
export const conditionOf = (status: Run['status']): Condition => {
  if (status === 'succeeded') return 'fine';
  if (status === 'completed-with-warnings') return 'attention';
  if (status === 'failed') return 'risk';
  if (status === 'running' || status === 'waiting') return 'working';
  return status === 'paused' ? 'paused' : 'idle';
};

/** All runs, newest first; each opens. */
export function RunList({ plan }: { readonly plan: string | null }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const now = useNow(60_000);
  const pages = usePages(`runs ${plan ?? ''}`, async (cursor, signal) => {
    const asked = { limit: 200, ...(plan === null ? {} : { plan }), ...(cursor === undefined ? {} : { before: Number(cursor) }) };
    const { runs, next } = await api.runs.list(asked, { signal });
    return { rows: runs, next: next === null ? null : String(next) };
  });
  const { rows, error, isWaiting, again } = pages;
  useEffect(
    () =>
      onServiceEvent((event) => {
        if (event.type === 'run') again();
      }),
    [again],
  );
  if (error !== undefined)
    return <ErrorMessage error={error} isUrgent={false} action={<Button onClick={again}>{t('ui.tryAgain')}</Button>} />;
  if (isWaiting && rows.length === 0) return <Bones rows={6} height={56} />;
  if (rows.length === 0)
    return (
      <Empty icon={CalendarClock} title={t('history.runs.none.title')}>
        {t('history.runs.none.text')}
      </Empty>
    );
  return (
    <div className={styles.list}>
      <VirtualList
        label={t('history.what.runs')}
        count={rows.length}
        rowHeight={56}
        onRange={pages.onRange}
        onOpen={(index) => rows[index] && go(`/history/run/${rows[index].id}`)}
        row={(index) => {
          const run = rows[index];
          return run ? <Row run={run} now={now} /> : null;
        }}
      />
    </div>
  );
}

function Row({ run, now }: { readonly run: Run; readonly now: number }) {
  const { t } = useTranslation();
  const at = run.started ?? run.created;
  const took = run.ended === null || run.started === null ? undefined : (run.ended - run.started) / 1000;
  return (
    <div className={styles.row}>
      <StateDot state={conditionOf(run.status)} />
      <span className={styles.words}>
        <span>
          <strong>{t(`history.kind.${run.kind}`)}</strong> {run.planName === '' ? '' : `· ${run.planName} `}
          {run.destinationName === '' ? '' : `· ${run.destinationName}`}
        </span>
        <span className="secondary">
          {[
            t(`history.status.${run.status}`),
            run.problems > 0 ? t('history.runs.unread', { count: run.problems }) : undefined,
            run.figures && run.figures.bytesStored > 0 ? t('history.runs.stored', { size: bytes(run.figures.bytesStored) }) : undefined,
            took === undefined ? undefined : span(took),
          ]
            .filter((text) => text !== undefined)
            .join(' · ')}
        </span>
      </span>
      <span className={styles.when}>{moment(at, now)}</span>
    </div>
  );
}

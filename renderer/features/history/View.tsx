import { Button, SegmentedControl, Select } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { isFinal } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { onServiceEvent, useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { date } from '../../ui/format.ts';
import { Page } from '../../ui/Page.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import { Calendar } from './Calendar.tsx';
import type { DayCell } from './chart.ts';
import { Figures } from './Figures.tsx';
import { RunList } from './RunList.tsx';
import { RunPage } from './RunPage.tsx';
import { SnapshotList } from './SnapshotList.tsx';
import { SnapshotPage } from './SnapshotPage.tsx';
import styles from './View.module.css';

/** What has happened: runs by the day, snapshots, and in figures how well it went and how much there is. */
export default function History() {
  const [path] = useLocation();
  const run = /^\/history\/run\/(\d+)$/.exec(path);
  if (run) return <RunPage key={run[1]} id={Number(run[1])} />;
  const snapshot = /^\/history\/snapshot\/([0-9a-f]{64})$/.exec(path);
  if (snapshot?.[1]) return <SnapshotPage key={snapshot[1]} id={snapshot[1]} />;
  return <Overview />;
}

type What = 'runs' | 'snapshots' | 'figures';

function Overview() {
  const { t } = useTranslation();
  const plans = useService((state) => state.plans) ?? [];
  const [what, setWhat] = useState<What>('runs');
  const [plan, setPlan] = useState<string | null>(null);
  const [day, setDay] = useState<DayCell>();
  const {
    value: history,
    error,
    again,
  } = useAnswer(plan ?? 'all', (signal) => api.history.figures(plan === null ? {} : { plan }, { signal }));
  useEffect(
    () =>
      onServiceEvent((event) => {
        if (event.type === 'run' && isFinal(event.run.status)) again();
      }),
    [again],
  );
  const names: readonly What[] = ['runs', 'snapshots', 'figures'];
  return (
    <Page place={t('frame.place.history')}>
      <div className={styles.bar}>
        <SegmentedControl
          aria-label={t('history.what.label')}
          value={what}
          onChange={(next) => setWhat(next as What)}
          data={names.map((value) => ({ value, label: t(`history.what.${value}`) }))}
        />
        <Select
          aria-label={t('history.plan')}
          placeholder={t('history.allPlans')}
          clearable
          data={plans.map(({ id, name }) => ({ value: id, label: name }))}
          value={plan}
          onChange={(next) => {
            setPlan(next);
            setDay(undefined);
          }}
        />
      </div>
      {error === undefined ? null : (
        <ErrorMessage error={error} isUrgent={false} action={<Button onClick={again}>{t('ui.tryAgain')}</Button>} />
      )}
      {what === 'runs' ? (
        <>
          <Calendar calendar={history?.calendar} day={day?.day} onDay={setDay} />
          {day ? (
            <p className={styles.from}>
              {t('history.calendar.from', { date: date(day.at) })}{' '}
              <Button variant="subtle" size="compact-sm" onClick={() => setDay(undefined)}>
                {t('history.calendar.newest')}
              </Button>
            </p>
          ) : null}
          <RunList plan={plan} from={day?.of?.newest} />
        </>
      ) : null}
      {what === 'snapshots' ? <SnapshotList plan={plan} /> : null}
      {what === 'figures' && history ? <Figures history={history} /> : null}
      {what === 'figures' && !history && error === undefined ? <Bones rows={3} height={176} /> : null}
    </Page>
  );
}

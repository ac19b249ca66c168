import { SegmentedControl, Select } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useService } from '../../live.ts';
import { Page } from '../../ui/Page.tsx';
import { Figures } from './Figures.tsx';
import { RunList } from './RunList.tsx';
import { RunPage } from './RunPage.tsx';
import { SnapshotList } from './SnapshotList.tsx';
import { SnapshotPage } from './SnapshotPage.tsx';
import styles from './View.module.css';

/** What has happened: runs and snapshots, how often it went well, and how much there is. */
export default function History() {
  const [path] = useLocation();
  const run = /^\/history\/run\/(\d+)$/.exec(path);
  if (run) return <RunPage key={run[1]} id={Number(run[1])} />;
  const snapshot = /^\/history\/snapshot\/([0-9a-f]{64})$/.exec(path);
  if (snapshot?.[1]) return <SnapshotPage key={snapshot[1]} id={snapshot[1]} />;
  return <Overview />;
}

function Overview() {
  const { t } = useTranslation();
  const plans = useService((state) => state.plans) ?? [];
  const [what, setWhat] = useState<'runs' | 'snapshots'>('runs');
  const [plan, setPlan] = useState<string | null>(null);
  return (
    <Page place={t('frame.place.history')}>
      <Figures plan={plan} />
      <div className={styles.bar}>
        <SegmentedControl
          aria-label={t('history.what.label')}
          value={what}
          onChange={(next) => setWhat(next as 'runs' | 'snapshots')}
          data={[
            { value: 'runs', label: t('history.what.runs') },
            { value: 'snapshots', label: t('history.what.snapshots') },
          ]}
        />
        <Select
          aria-label={t('history.plan')}
          placeholder={t('history.allPlans')}
          clearable
          data={plans.map(({ id, name }) => ({ value: id, label: name }))}
          value={plan}
          onChange={setPlan}
        />
      </div>
      {what === 'runs' ? <RunList plan={plan} /> : <SnapshotList plan={plan} />}
    </Page>
  );
}

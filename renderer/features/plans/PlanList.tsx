import { Button, FileButton, Switch } from '@mantine/core';
import { FolderHeart } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { planFileSchema } from '../../../src/contract/plan.ts';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { api } from '../../api.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { folderName, list } from '../../ui/format.ts';
import { attempt, say } from '../../ui/messages.ts';
import { Page } from '../../ui/Page.tsx';
import { scheduleWords } from '../../ui/schedule-words.ts';
import { startBackup } from '../runs/start.ts';
import styles from './PlanList.module.css';

/** All plans, each with what it protects, where to and when; on and off. */
export function PlanList() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const plans = useService((state) => state.plans);
  const destinations = useService((state) => state.destinations) ?? [];
  const nameOf = (id: string): string => destinations.find((each) => each.id === id)?.name ?? id;
  return (
    <Page
      place={t('frame.place.plans')}
      action={
        <Button disabled={destinations.length === 0} onClick={() => go('/plans/new')}>
          {t('plans.new')}
        </Button>
      }
    >
      {plans ? null : <Bones rows={3} height={88} />}
      {plans?.length === 0 ? (
        <Empty
          icon={FolderHeart}
          title={t('plans.none.title')}
          action={<Button onClick={() => go('/welcome')}>{t('plans.none.act')}</Button>}
        >
          {t('plans.none.text')}
        </Empty>
      ) : null}
      <ul className={styles.list}>
        {(plans ?? []).map((plan) => (
          <li key={plan.id} className={styles.card}>
            <div className={styles.words}>
              <h2>
                <Link href={`/plans/${plan.id}`}>{plan.name}</Link>
              </h2>
              <p className="secondary">{list(plan.sources.map(({ path }) => folderName(path)))}</p>
              <p className="secondary">
                {t('plans.to', { destinations: list(plan.destinations.map(({ destination }) => nameOf(destination))) })} ·{' '}
                {scheduleWords(plan.schedule)}
              </p>
            </div>
            <Switch
              aria-label={t('plans.enabled', { name: plan.name })}
              checked={plan.enabled}
              onChange={(event) => void attempt(() => api.plans.setEnabled({ id: plan.id, enabled: event.currentTarget.checked }))}
            />
            <Button
              variant="default"
              disabled={!plan.enabled}
              onClick={() =>
                void attempt(async () => {
                  await startBackup({ plan: plan.id });
                  say(t('plans.started', { name: plan.name }));
                })
              }
            >
              {t('plans.backUp')}
            </Button>
          </li>
        ))}
      </ul>
      <Files hasPlans={(plans?.length ?? 0) > 0} />
    </Page>
  );
}

/** Plans as a file, out and in. */
function Files({ hasPlans }: { readonly hasPlans: boolean }) {
  const { t } = useTranslation();
  const save = (): Promise<boolean> =>
    attempt(async () => {
      const file = await api.plans.export({});
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([JSON.stringify(file, undefined, 2)], { type: 'application/json' }));
      link.download = t('plans.file.name');
      link.click();
      URL.revokeObjectURL(link.href);
    });
  const load = (file: File | null): void => {
    if (!file) return;
    void attempt(async () => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(await file.text());
      } catch (error) {
        throw new HoldfastError('request-invalid', { problem: t('plans.file.noJson', { name: file.name }) }, { cause: error });
      }
      const checked = planFileSchema.safeParse(parsed);
      if (!checked.success) throw new HoldfastError('request-invalid', { problem: t('plans.file.noPlans', { name: file.name }) });
      const made = await api.plans.import({ file: checked.data });
      say(t('plans.file.imported', { count: made.length }));
    });
  };
  return (
    <div className={styles.files}>
      <Button variant="subtle" component={Link} href="/protected">
        {t('protected.act')}
      </Button>
      <Button variant="subtle" disabled={!hasPlans} onClick={() => void save()}>
        {t('plans.file.export')}
      </Button>
      <FileButton onChange={load} accept="application/json,.json">
        {(props) => (
          <Button variant="subtle" {...props}>
            {t('plans.file.import')}
          </Button>
        )}
      </FileButton>
    </div>
  );
}

import { NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Plan } from '../../../src/contract/plan.ts';
import type { Times } from '../../../src/contract/schedule.ts';
import styles from './PlanForm.module.css';
import { RetentionNumbers } from './RetentionForm.tsx';

type Place = Plan['destinations'][number];

interface OwnTermsProps {
  readonly place: Place;
  readonly name: string;
  /** What the plan keeps elsewhere. */
  readonly retention: Plan['retention'];
  readonly onChange: (place: Place) => void;
}

const ways = ['runs', 'interval', 'daily', 'other'] as const;
type Way = (typeof ways)[number];

/** Of one destination: when a copy is made, and what is kept there. */
export function OwnTerms({ place, name, retention, onChange }: OwnTermsProps) {
  const { t } = useTranslation();
  const { retention: own } = place;
  const keep = (next: Plan['retention'] | undefined): void => {
    const { retention: _retention, ...rest } = place;
    onChange(next ? { ...rest, retention: next } : rest);
  };
  return (
    <div className={styles.terms}>
      {place.role === 'copy' ? <When place={place} name={name} onChange={onChange} /> : null}
      <Switch
        checked={own !== undefined}
        label={t('plans.places.own', { name })}
        onChange={(event) => keep(event.currentTarget.checked ? retention : undefined)}
      />
      {own ? <RetentionNumbers retention={own} onChange={keep} /> : null}
    </div>
  );
}

const wayOf = (schedule: Times | undefined): Way => {
  const [first] = schedule ?? [];
  if (!first) return 'runs';
  return schedule!.length === 1 && (first.kind === 'interval' || first.kind === 'daily') ? first.kind : 'other';
};

const beginnings: Readonly<Record<'interval' | 'daily', Times>> = {
  interval: [{ kind: 'interval', minutes: 360 }],
  daily: [{ kind: 'daily', at: '03:00' }],
};

function When({ place, name, onChange }: Omit<OwnTermsProps, 'retention'>) {
  const { t } = useTranslation();
  const { schedule } = place;
  const [first] = schedule ?? [];
  const way = wayOf(schedule);
  const set = (next: Times | undefined): void => {
    const { schedule: _schedule, ...rest } = place;
    onChange(next ? { ...rest, schedule: next } : rest);
  };
  return (
    <div className={styles.trigger}>
      <Select
        aria-label={t('plans.places.when', { name })}
        w={260}
        // What was said in another way stays as long as it is not changed.
        data={ways.filter((each) => each !== 'other' || way === 'other').map((value) => ({ value, label: t(`plans.places.way.${value}`) }))}
        value={way}
        allowDeselect={false}
        onChange={(next) =>
          next !== null && next !== 'other' && set(next === 'runs' ? undefined : beginnings[next as 'interval' | 'daily'])
        }
      />
      {way === 'interval' && first?.kind === 'interval' ? (
        <NumberInput
          aria-label={t('plans.places.hours', { name })}
          w={120}
          min={1}
          max={168}
          suffix={`\u00a0${t('plans.targets.hours')}`}
          value={Math.max(1, Math.round(first.minutes / 60))}
          onChange={(hours) => Number(hours) >= 1 && set([{ kind: 'interval', minutes: Number(hours) * 60 }])}
        />
      ) : null}
      {way === 'daily' && first?.kind === 'daily' ? (
        <TextInput
          type="time"
          aria-label={t('plans.places.at', { name })}
          value={first.at}
          onChange={(event) => event.currentTarget.value && set([{ kind: 'daily', at: event.currentTarget.value }])}
        />
      ) : null}
    </div>
  );
}

import { MultiSelect, NumberInput, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type Trigger, weekdays } from '../../../src/contract/schedule.ts';
import { dayName } from '../../ui/schedule-words.ts';
import styles from './PlanForm.module.css';

/** Each kind of trigger as it begins. */
export const beginnings: Readonly<Record<Trigger['kind'], Trigger>> = {
  interval: { kind: 'interval', minutes: 60 },
  daily: { kind: 'daily', at: '12:00' },
  weekly: { kind: 'weekly', days: ['friday'], at: '18:00' },
  monthly: { kind: 'monthly', days: [1], at: '12:00' },
  cron: { kind: 'cron', expression: '30 12 * * 1-5' },
  change: { kind: 'change', delaySeconds: 900 },
  drive: { kind: 'drive' },
  login: { kind: 'login' },
};
/** What one trigger is made of. */
export function TriggerFields({ trigger, onChange }: { readonly trigger: Trigger; readonly onChange: (trigger: Trigger) => void }) {
  const { t } = useTranslation();
  const label = t(`plans.schedule.kind.${trigger.kind}`);
  const at = (value: string, then: (at: string) => void): React.ReactNode => (
    <TextInput
      type="time"
      label={t('plans.schedule.at')}
      value={value}
      onChange={(event) => event.currentTarget.value && then(event.currentTarget.value)}
    />
  );
  switch (trigger.kind) {
    case 'interval':
      return (
        <NumberInput
          label={label}
          min={1}
          max={10_080}
          suffix={`\u00a0${t('plans.schedule.minutes')}`}
          value={trigger.minutes}
          onChange={(minutes) => Number(minutes) >= 1 && onChange({ ...trigger, minutes: Number(minutes) })}
        />
      );
    case 'daily':
      return (
        <>
          <span className={styles.path}>{label}</span>
          {at(trigger.at, (next) => onChange({ ...trigger, at: next }))}
        </>
      );
    case 'weekly':
      return (
        <>
          <MultiSelect
            label={label}
            data={weekdays.map((day) => ({ value: day, label: dayName(day) }))}
            value={[...trigger.days]}
            onChange={(days) => days.length > 0 && onChange({ ...trigger, days: days as typeof trigger.days })}
          />
          {at(trigger.at, (next) => onChange({ ...trigger, at: next }))}
        </>
      );
    case 'monthly':
      return (
        <>
          <MultiSelect
            label={label}
            data={[
              ...Array.from({ length: 31 }, (_, i) => ({ value: String(i + 1), label: t('schedule.day', { day: i + 1 }) })),
              { value: 'last', label: t('schedule.lastDay') },
            ]}
            value={trigger.days.map(String)}
            onChange={(days) =>
              days.length > 0 && onChange({ ...trigger, days: days.map((day) => (day === 'last' ? 'last' : Number(day))) })
            }
          />
          {at(trigger.at, (next) => onChange({ ...trigger, at: next }))}
        </>
      );
    case 'cron':
      return (
        <TextInput
          label={label}
          description={t('plans.schedule.cronText')}
          value={trigger.expression}
          spellCheck={false}
          onChange={(event) => onChange({ ...trigger, expression: event.currentTarget.value })}
        />
      );
    case 'change':
      return (
        <NumberInput
          label={label}
          description={t('plans.schedule.delayText')}
          min={1}
          max={1440}
          suffix={`\u00a0${t('plans.schedule.minutes')}`}
          value={Math.max(1, Math.round(trigger.delaySeconds / 60))}
          onChange={(minutes) => Number(minutes) >= 1 && onChange({ ...trigger, delaySeconds: Number(minutes) * 60 })}
        />
      );
    case 'drive':
    case 'login':
      return <span className={styles.path}>{label}</span>;
  }
}

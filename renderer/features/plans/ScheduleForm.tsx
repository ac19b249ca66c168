import { Button, CloseButton, Group, Menu, MultiSelect, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type Schedule, strategies, type Trigger, type WindowSpan, weekdays } from '../../../src/contract/schedule.ts';
import { api } from '../../api.ts';
import { useSettled } from '../../clock.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { exact } from '../../ui/format.ts';
import { dayName, scheduleWords } from '../../ui/schedule-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import type { Draft } from './draft.ts';
import styles from './PlanForm.module.css';
import { beginnings, TriggerFields } from './TriggerFields.tsx';

interface PartProps {
  readonly draft: Draft;
  readonly id: string | undefined;
  readonly onChange: (part: Partial<Draft>) => void;
}

const kinds = Object.keys(beginnings) as Trigger['kind'][];
/** There is never a reason to have these twice. */
const single: ReadonlySet<Trigger['kind']> = new Set(['change', 'drive', 'login']);

/** When the plan runs, in words, with the next five times; the mix of strategies, the window, and conditions. */
export function ScheduleForm({ draft: { schedule }, id, onChange }: PartProps) {
  const { t } = useTranslation();
  const change = (part: Partial<Schedule>): void => onChange({ schedule: { ...schedule, ...part } });
  const { triggers } = schedule;
  const set = (index: number, trigger: Trigger): void => change({ triggers: triggers.with(index, trigger) });
  return (
    <>
      <p>{t('plans.schedule.words', { words: scheduleWords(schedule) })}</p>
      {triggers.map((trigger, index) => (
        <div key={index} className={styles.trigger}>
          <TriggerFields trigger={trigger} onChange={(next) => set(index, next)} />
          <CloseButton
            size="sm"
            aria-label={t('plans.schedule.remove', { kind: t(`plans.schedule.kind.${trigger.kind}`) })}
            onClick={() => change({ triggers: triggers.toSpliced(index, 1) })}
          />
        </div>
      ))}
      <Menu>
        <Menu.Target>
          <Button mt="xs" variant="default" disabled={triggers.length >= 16}>
            {t('plans.schedule.add')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {kinds
            .filter((kind) => !single.has(kind) || !triggers.some((trigger) => trigger.kind === kind))
            .map((kind) => (
              <Menu.Item key={kind} onClick={() => change({ triggers: [...triggers, beginnings[kind]] })}>
                {t(`plans.schedule.kind.${kind}`)}
              </Menu.Item>
            ))}
        </Menu.Dropdown>
      </Menu>
      <NextTimes schedule={schedule} id={id} />
      <h3 className={styles.part}>{t('plans.strategy.title')}</h3>
      <Mix schedule={schedule} onChange={change} />
      <h3 className={styles.part}>{t('plans.window.title')}</h3>
      <Window schedule={schedule} onChange={change} />
      <h3 className={styles.part}>{t('plans.conditions.title')}</h3>
      <Conditions schedule={schedule} onChange={change} />
    </>
  );
}

function NextTimes({ schedule, id }: { readonly schedule: Schedule; readonly id: string | undefined }) {
  const { t } = useTranslation();
  const settled = useSettled(JSON.stringify(schedule), 400);
  const { value, error } = useAnswer(`${id ?? ''} ${settled}`, (signal) =>
    api.previews.schedule({ schedule: JSON.parse(settled) as Schedule, ...(id === undefined ? {} : { plan: id }) }, { signal }),
  );
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  if (!value || value.times.length === 0) return null;
  return (
    <div className={styles.times}>
      <h3>{t('plans.schedule.next')}</h3>
      <ol>
        {value.times.map(({ at, begins, strategy }, index) => (
          <li key={index}>
            <span>{exact(begins)}</span>
            <span className="secondary">
              {begins === at ? t(`plans.strategy.${strategy}`) : t('plans.schedule.held', { strategy: t(`plans.strategy.${strategy}`) })}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

interface ScheduleProps {
  readonly schedule: Schedule;
  readonly onChange: (part: Partial<Schedule>) => void;
}

const periods = ['day', 'week', 'month', 'quarter', 'year'] as const;

function Mix({ schedule: { strategy }, onChange }: ScheduleProps) {
  const { t } = useTranslation();
  const data = [
    { value: 'never', label: t('plans.strategy.never') },
    ...periods.map((value) => ({ value, label: t(`plans.strategy.every.${value}`) })),
  ];
  const set = (name: 'full' | 'differential', next: string | null): void => {
    const { [name]: _, ...rest } = strategy;
    onChange({ strategy: next === null || next === 'never' ? rest : { ...rest, [name]: next as (typeof periods)[number] } });
  };
  return (
    <Group align="end" gap="sm">
      <Select
        label={t('plans.strategy.full')}
        data={data}
        value={strategy.full ?? 'never'}
        allowDeselect={false}
        onChange={(next) => set('full', next)}
      />
      <Select
        label={t('plans.strategy.differential')}
        data={data}
        value={strategy.differential ?? 'never'}
        allowDeselect={false}
        onChange={(next) => set('differential', next)}
      />
      <Select
        label={t('plans.strategy.otherwise')}
        data={strategies.map((value) => ({ value, label: t(`plans.strategy.${value}`) }))}
        value={strategy.otherwise}
        allowDeselect={false}
        onChange={(next) => next !== null && onChange({ strategy: { ...strategy, otherwise: next as (typeof strategies)[number] } })}
      />
    </Group>
  );
}

const usualWindow: WindowSpan = { days: [...weekdays], from: '20:00', to: '06:00' };

function Window({ schedule, onChange }: ScheduleProps) {
  const { t } = useTranslation();
  const spans = schedule.window ?? [];
  const set = (next: readonly WindowSpan[]): void => {
    if (next.length > 0) onChange({ window: [...next] });
    else onChange({ window: undefined });
  };
  return (
    <>
      <p className="secondary">{t(spans.length === 0 ? 'plans.window.none' : 'plans.window.text')}</p>
      {spans.map((span, index) => (
        <div key={index} className={styles.trigger}>
          <MultiSelect
            label={t('plans.window.days')}
            data={weekdays.map((day) => ({ value: day, label: dayName(day) }))}
            value={[...span.days]}
            onChange={(days) => days.length > 0 && set(spans.with(index, { ...span, days: days as WindowSpan['days'] }))}
          />
          <TextInput
            type="time"
            label={t('plans.window.from')}
            value={span.from}
            onChange={(event) => event.currentTarget.value && set(spans.with(index, { ...span, from: event.currentTarget.value }))}
          />
          <TextInput
            type="time"
            label={t('plans.window.to')}
            value={span.to === '24:00' ? '00:00' : span.to}
            onChange={(event) => {
              const to = event.currentTarget.value;
              if (to) set(spans.with(index, { ...span, to: to === '00:00' ? '24:00' : to }));
            }}
          />
          <CloseButton size="sm" aria-label={t('plans.window.remove')} onClick={() => set(spans.toSpliced(index, 1))} />
        </div>
      ))}
      <Button mt="xs" variant="default" disabled={spans.length >= 21} onClick={() => set([...spans, usualWindow])}>
        {t('plans.window.add')}
      </Button>
    </>
  );
}

function Conditions({ schedule: { conditions }, onChange }: ScheduleProps) {
  const { t } = useTranslation();
  const { onBattery } = conditions;
  return (
    <>
      <Group align="end" gap="sm">
        <Select
          label={t('plans.conditions.battery')}
          data={(['always', 'above', 'never'] as const).map((value) => ({ value, label: t(`plans.conditions.on.${value}`) }))}
          value={typeof onBattery === 'string' ? onBattery : 'above'}
          allowDeselect={false}
          onChange={(next) =>
            onChange({
              conditions: { ...conditions, onBattery: next === 'above' ? { abovePercent: 30 } : next === 'never' ? 'never' : 'always' },
            })
          }
        />
        {typeof onBattery === 'string' ? null : (
          <NumberInput
            label={t('plans.conditions.above')}
            min={1}
            max={99}
            suffix={`\u00a0${t('plans.conditions.percent')}`}
            value={onBattery.abovePercent}
            onChange={(next) => Number(next) >= 1 && onChange({ conditions: { ...conditions, onBattery: { abovePercent: Number(next) } } })}
          />
        )}
      </Group>
      <Switch
        mt="md"
        checked={conditions.onMetered}
        label={t('plans.conditions.metered')}
        onChange={(event) => onChange({ conditions: { ...conditions, onMetered: event.currentTarget.checked } })}
      />
    </>
  );
}

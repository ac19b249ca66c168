import { Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { PlanFacts } from '../../../src/contract/home.ts';
import { date } from '../../ui/format.ts';
import styles from './DayStrip.module.css';

type Day = PlanFacts['days'][number];

/** Thirty days in a row, today at the right: backed up, with warnings, failed, missed; tested. */
export function DayStrip({ days }: { readonly days: PlanFacts['days'] }) {
  const { t } = useTranslation();
  const words = (day: Day): string => {
    const said = t(`home.day.${day.state}`, { count: day.backups });
    return day.isTested ? `${said} · ${t('home.day.tested')}` : said;
  };
  const counted = (state: Day['state']): number => days.filter((day) => day.state === state).length;
  return (
    <div
      className={styles.strip}
      role="img"
      aria-label={t('home.strip', {
        count: days.length,
        good: counted('backed-up'),
        warned: counted('warning'),
        failed: counted('failed'),
        missed: counted('missed'),
        tested: days.filter(({ isTested }) => isTested).length,
      })}
    >
      {days.map((day) => (
        <Tooltip key={day.day} openDelay={80} label={`${date(dayTime(day.day))}: ${words(day)}`}>
          <i data-state={day.state} data-tested={day.isTested || undefined} />
        </Tooltip>
      ))}
    </div>
  );
}

/** Noon of a day, which is that day in every summer time. */
const dayTime = (day: string): number => new Date(`${day}T12:00:00`).getTime();

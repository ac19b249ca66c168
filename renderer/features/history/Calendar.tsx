import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { History } from '../../../src/contract/history.ts';
import { useNow } from '../../clock.ts';
import { date, list, month, sentences } from '../../ui/format.ts';
import styles from './Calendar.module.css';
import { type DayCell, dayCells, dayState } from './chart.ts';

interface CalendarProps {
  /** Undefined while it is not known. */
  readonly calendar: History['calendar'] | undefined;
  /** The day from which on the list goes back. */
  readonly day: string | undefined;
  readonly onDay: (cell: DayCell | undefined) => void;
}

const weeksShown = 26;

/** The last half year, a column a week: what was backed up on each day. A day leads the list there; arrow keys go from day to day, and Enter chooses. */
export function Calendar({ calendar, day, onDay }: CalendarProps) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const cells = dayCells(calendar ?? [], now, weeksShown);
  const [at, setAt] = useState<string>();
  const newest = cells.length - 1;
  const found = cells.findIndex((cell) => cell.day === (at ?? day));
  const here = found === -1 ? newest : found;
  const told = cells[here];
  const words = ({ of }: DayCell): string => {
    const backups = (['succeeded', 'withWarnings', 'failed'] as const).flatMap((part) =>
      of && of[part] > 0 ? [t(`history.chart.${part}`, { count: of[part] })] : [],
    );
    return sentences([
      backups.length === 0 ? t('history.calendar.none') : t('history.calendar.backups', { what: list(backups) }),
      of && of.restored > 0 ? t('history.calendar.restored', { count: of.restored }) : '',
    ]);
  };
  const choose = (cell: DayCell | undefined): void => onDay(!cell?.of || cell.day === day ? undefined : cell);
  const pressed = (event: React.KeyboardEvent): void => {
    const to = { ArrowUp: here - 1, ArrowDown: here + 1, ArrowLeft: here - 7, ArrowRight: here + 7, Home: 0, End: newest }[event.key];
    if (to !== undefined) setAt(cells[Math.max(0, Math.min(newest, to))]?.day);
    else if (event.key === 'Enter' || event.key === ' ') choose(told);
    else return;
    event.preventDefault();
  };
  /** The day that the pointer is at. */
  const cellAt = (event: React.PointerEvent | React.MouseEvent): DayCell | undefined =>
    event.target instanceof HTMLElement ? cells[Number(event.target.dataset['cell'] ?? NaN)] : undefined;
  return (
    <div className={styles.calendar} aria-busy={calendar === undefined}>
      <div
        className={styles.days}
        role="slider"
        tabIndex={0}
        aria-label={t('history.calendar.label')}
        aria-valuemin={1}
        aria-valuemax={cells.length}
        aria-valuenow={here + 1}
        aria-valuetext={told ? `${date(told.at)}: ${words(told)}` : ''}
        onKeyDown={pressed}
        onPointerMove={(event) => setAt(cellAt(event)?.day ?? at)}
        onPointerLeave={() => setAt(undefined)}
        onClick={(event) => choose(cellAt(event))}
      >
        {cells.map((cell, i) => (
          <i
            key={cell.day}
            data-cell={i}
            data-state={dayState(cell.of)}
            data-tested={(cell.of?.restored ?? 0) > 0 || undefined}
            data-here={i === here || undefined}
            data-chosen={cell.day === day || undefined}
            style={{ gridColumn: Math.floor(i / 7) + 1, gridRow: (i % 7) + 2 }}
          />
        ))}
        {/* A month stands above the week in which it begins. */}
        {cells.map((cell, i) =>
          i % 7 === 0 && i > 0 && new Date(cell.at).getDate() <= 7 ? (
            <span key={cell.day} className={styles.month} style={{ gridColumn: Math.floor(i / 7) + 1 }}>
              {month(cell.at)}
            </span>
          ) : null,
        )}
      </div>
      {told ? (
        <p className={styles.told} aria-hidden>
          <strong>{date(told.at)}</strong>
          {words(told)}
        </p>
      ) : null}
    </div>
  );
}

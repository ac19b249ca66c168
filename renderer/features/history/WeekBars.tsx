import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { count, date, list } from '../../ui/format.ts';
import { scaleEnd, type Week } from './chart.ts';
import { ChartTable } from './ChartTable.tsx';
import { useMarker } from './use-marker.ts';
import styles from './Chart.module.css';

const parts = ['failed', 'withWarnings', 'succeeded'] as const;

/** How the backups of each week ended, one bar a week. */
export function WeekBars({ weeks }: { readonly weeks: readonly Week[] }) {
  const { t } = useTranslation();
  const all = weeks.map((week) => week.succeeded + week.withWarnings + week.failed);
  const end = scaleEnd(Math.max(...all), 'count');
  const marker = useMarker(weeks.map((_, i) => ((i + 0.5) / weeks.length) * 100));
  const [isTable, setTable] = useState(false);
  const title = t('history.chart.success');
  const [first, at] = [weeks[0], weeks[marker.index]];
  if (!first || !at || all.every((each) => each === 0))
    return (
      <figure className={styles.chart}>
        <figcaption className={styles.title}>{title}</figcaption>
        <p className={styles.empty}>{t('history.chart.noBackup')}</p>
      </figure>
    );
  const words = (week: Week): string => {
    const said = parts.toReversed().flatMap((part) => (week[part] > 0 ? [t(`history.chart.${part}`, { count: week[part] })] : []));
    return said.length === 0 ? t('history.chart.noneThen') : list(said);
  };
  const said = t('history.chart.week', { date: date(at.at), what: words(at) });
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.title}>
        {title} <span className={styles.said}>{said}</span>
      </figcaption>
      <div className={styles.body}>
        <div className={styles.scale} aria-hidden>
          <span>{count(end)}</span>
          <span>{count(end / 2)}</span>
          <span>0</span>
        </div>
        <div
          {...marker.handlers}
          className={styles.plot}
          role="slider"
          tabIndex={0}
          aria-label={title}
          aria-valuetext={said}
          aria-valuemin={1}
          aria-valuemax={weeks.length}
          aria-valuenow={marker.index + 1}
        >
          <div className={styles.bars} aria-hidden>
            {weeks.map((week, i) => (
              <div key={week.at} data-here={i === marker.index || undefined}>
                {parts.map((part) =>
                  week[part] > 0 ? <i key={part} data-part={part} style={{ height: `${(week[part] / end) * 100}%` }} /> : null,
                )}
              </div>
            ))}
          </div>
        </div>
        <div className={styles.ends} aria-hidden>
          <span>{date(first.at)}</span>
          <span>{t('history.chart.thisWeek')}</span>
        </div>
      </div>
      <ChartTable
        isOpen={isTable}
        onToggle={setTable}
        columns={[t('history.chart.weekOf'), title]}
        rows={() => weeks.toReversed().map((week) => [date(week.at), words(week)])}
      />
    </figure>
  );
}

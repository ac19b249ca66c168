import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { date } from '../../ui/format.ts';
import { type Point, placed, scaleEnd } from './chart.ts';
import { ChartTable } from './ChartTable.tsx';
import { useMarker } from './use-marker.ts';
import styles from './Chart.module.css';

interface ChartProps {
  readonly title: string;
  readonly points: readonly Point[];
  readonly unit: 'bytes' | 'seconds' | 'count';
  /** A line for what is there all the time, dots for what happens now and then. */
  readonly kind: 'line' | 'dots';
  readonly words: (value: number) => string;
  /** Instead of the chart while there are fewer than two points. */
  readonly empty: string;
}

/** One figure over time, with a real zero. The value at the marker, which the pointer and the arrow keys move, stands beside the title. */
export function Chart({ title, points, unit, kind, words, empty }: ChartProps) {
  const { t } = useTranslation();
  const end = scaleEnd(Math.max(0, ...points.map(({ value }) => value)), unit);
  const places = placed(points, end);
  const marker = useMarker(places.map(({ x }) => x));
  const [isTable, setTable] = useState(false);
  const [first, last] = [points[0], points.at(-1)];
  if (points.length < 2 || !first || !last)
    return (
      <figure className={styles.chart}>
        <figcaption className={styles.title}>{title}</figcaption>
        <p className={styles.empty}>{last ? `${words(last.value)}. ${empty}` : empty}</p>
      </figure>
    );
  const at = points[marker.index] ?? last;
  const place = places[marker.index];
  const said = `${date(at.at)}: ${words(at.value)}`;
  const path = places.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.title}>
        {title} <span className={styles.said}>{said}</span>
      </figcaption>
      <div className={styles.body}>
        <div className={styles.scale} aria-hidden>
          <span>{words(end)}</span>
          <span>{words(end / 2)}</span>
          <span>{unit === 'seconds' ? '0' : words(0)}</span>
        </div>
        <div
          {...marker.handlers}
          className={styles.plot}
          role="slider"
          tabIndex={0}
          aria-label={title}
          aria-valuetext={said}
          aria-valuemin={1}
          aria-valuemax={points.length}
          aria-valuenow={marker.index + 1}
        >
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
            {kind === 'line' ? <path d={`${path}L100 100L0 100Z`} className={styles.area} /> : null}
            {kind === 'line' ? <path d={path} className={styles.stroke} vectorEffect="non-scaling-stroke" /> : null}
            {kind === 'dots' ? (
              <path d={places.map(({ x, y }) => `M${x} ${y}h0`).join('')} className={styles.dots} vectorEffect="non-scaling-stroke" />
            ) : null}
          </svg>
          {place ? <i className={styles.marker} style={{ left: `${place.x}%`, top: `${place.y}%` }} /> : null}
        </div>
        <div className={styles.ends} aria-hidden>
          <span>{date(first.at)}</span>
          <span>{date(last.at)}</span>
        </div>
      </div>
      <ChartTable
        isOpen={isTable}
        onToggle={setTable}
        columns={[t('history.chart.day'), title]}
        rows={() => points.toReversed().map((point) => [date(point.at), words(point.value)])}
      />
    </figure>
  );
}

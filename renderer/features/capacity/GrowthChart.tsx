import { useTranslation } from 'react-i18next';
import type { Capacity } from '../../../src/contract/capacity.ts';
import { bytes, date } from '../../ui/format.ts';
import { growthPaths } from './chart.ts';
import styles from './GrowthChart.module.css';

/** How large a destination was and is expected to be: a line, and the same as a table for who prefers to read. */
export function GrowthChart({ capacity }: { readonly capacity: Capacity }) {
  const { t } = useTranslation();
  const paths = growthPaths(capacity);
  const [first, last] = [capacity.samples[0], capacity.samples.at(-1)];
  if (!paths || !first || !last) return null;
  const { measured, expected } = paths;
  return (
    <figure className={styles.chart}>
      <figcaption>{t('capacity.chart.title')}</figcaption>
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden className={styles.line}>
        {expected ? <path d={expected.band} className={styles.band} /> : null}
        <path d={measured} className={styles.stroke} vectorEffect="non-scaling-stroke" />
        {expected ? <path d={expected.line} className={styles.expected} vectorEffect="non-scaling-stroke" /> : null}
      </svg>
      <div className={styles.ends}>
        <span>
          {date(first.at)}
          <br />
          {bytes(first.bytes)}
        </span>
        <span>
          {date(last.at)}
          <br />
          <strong>{bytes(last.bytes)}</strong> {t('capacity.chart.measured')}
        </span>
        {expected ? (
          <span>
            {date(expected.at)}
            <br />
            {bytes(expected.bytes)} {t('capacity.chart.expected')}
          </span>
        ) : null}
      </div>
      <details className={styles.table}>
        <summary>{t('capacity.chart.table')}</summary>
        <table>
          <tbody>
            {capacity.samples.toReversed().map(({ day, bytes: size }) => (
              <tr key={day}>
                <th scope="row">{date(Date.parse(day))}</th>
                <td>{bytes(size)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

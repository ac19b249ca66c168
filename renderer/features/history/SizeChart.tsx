import { useTranslation } from 'react-i18next';
import type { History } from '../../../src/contract/history.ts';
import { bytes, date } from '../../ui/format.ts';
import { linePath, sizePoints } from './chart.ts';
import styles from './SizeChart.module.css';

/** How much was protected, day by day; a line with its two ends named, and the same as a table for who prefers to read. */
export function SizeChart({ sizes }: { readonly sizes: History['sizes'] }) {
  const { t } = useTranslation();
  const points = sizePoints(sizes);
  const path = linePath(points);
  const [first, last] = [points[0], points.at(-1)];
  return (
    <figure className={styles.chart}>
      <figcaption>{t('history.size.title')}</figcaption>
      {path && first && last ? (
        <>
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden className={styles.line}>
            <path d={`${path}L100 100L0 100Z`} className={styles.area} />
            <path d={path} className={styles.stroke} vectorEffect="non-scaling-stroke" />
          </svg>
          <div className={styles.ends}>
            <span>
              {date(Date.parse(first.day))}
              <br />
              {bytes(first.bytes)}
            </span>
            <span>
              {date(Date.parse(last.day))}
              <br />
              <strong>{bytes(last.bytes)}</strong>
            </span>
          </div>
          <details className={styles.table}>
            <summary>{t('history.size.table')}</summary>
            <table>
              <tbody>
                {points.toReversed().map(({ day, bytes: size }) => (
                  <tr key={day}>
                    <th scope="row">{date(Date.parse(day))}</th>
                    <td>{bytes(size)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      ) : (
        <p className="secondary">{last ? t('history.size.one', { size: bytes(last.bytes) }) : t('history.size.none')}</p>
      )}
    </figure>
  );
}

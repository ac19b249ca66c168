import { useTranslation } from 'react-i18next';
import type { History } from '../../../src/contract/history.ts';
import { useNow } from '../../clock.ts';
import { bytes, count, percent, span, speed } from '../../ui/format.ts';
import { Chart } from './Chart.tsx';
import { durationPoints, sizePoints, speedPoints, weeks } from './chart.ts';
import styles from './Figures.module.css';
import { WeekBars } from './WeekBars.tsx';

const weeksShown = 26;

/** How often backups and restores went well, how much there is, how long it took, and when a destination will be full. */
export function Figures({ history }: { readonly history: History }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  return (
    <>
      <div className={styles.figures}>
        <Rates rates={history.rates} />
        <WeekBars weeks={weeks(history.calendar, now, weeksShown)} />
        <Chart
          title={t('history.chart.size')}
          points={sizePoints(history.sizes)}
          unit="bytes"
          kind="line"
          words={bytes}
          empty={t('history.chart.soon')}
        />
        <Chart
          title={t('history.chart.duration')}
          points={durationPoints(history.durations)}
          unit="seconds"
          kind="dots"
          words={span}
          empty={t('history.chart.soon')}
        />
        <Chart
          title={t('history.chart.speed')}
          points={speedPoints(history.durations)}
          unit="bytes"
          kind="dots"
          words={speed}
          empty={t('history.chart.noRestore')}
        />
      </div>
    </>
  );
}

function Rates({ rates }: { readonly rates: History['rates'] }) {
  const { t } = useTranslation();
  return (
    <table className={styles.rates}>
      <caption>{t('history.rates.title')}</caption>
      <thead>
        <tr>
          <td />
          {rates.map(({ days }) => (
            <th key={days} scope="col">
              {t('history.rates.days', { count: days })}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {(['backups', 'restores', 'drills'] as const).map((kind) => (
          <tr key={kind}>
            <th scope="row">{t(`history.rates.${kind}`)}</th>
            {rates.map(({ days, [kind]: rate }) => {
              const good = rate.succeeded + rate.withWarnings;
              const all = good + rate.failed;
              return (
                <td key={days}>
                  {all === 0 ? (
                    <span className="secondary">{t('history.rates.none')}</span>
                  ) : (
                    <>
                      <strong>{percent(good / all)}</strong>{' '}
                      <span className="secondary">{t('history.rates.of', { good: count(good), all: count(all) })}</span>
                    </>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

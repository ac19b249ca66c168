import { useTranslation } from 'react-i18next';
import { isFinal } from '../../../src/contract/run.ts';
import { useEffect } from 'react';
import { api } from '../../api.ts';
import { onServiceEvent } from '../../live.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count, date, percent } from '../../ui/format.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import styles from './Figures.module.css';
import { SizeChart } from './SizeChart.tsx';

interface FiguresProps {
  readonly plan: string | null;
}

/** How often backups and restores went well, how much there is, and when a destination will be full. */
export function Figures({ plan }: FiguresProps) {
  const { t } = useTranslation();
  const { value, error, again } = useAnswer(plan ?? 'all', (signal) => api.history.figures(plan === null ? {} : { plan }, { signal }));
  useEffect(
    () =>
      onServiceEvent((event) => {
        if (event.type === 'run' && isFinal(event.run.status)) again();
      }),
    [again],
  );
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  return (
    <div className={styles.figures} aria-busy={value === undefined}>
      <table className={styles.rates}>
        <caption>{t('history.rates.title')}</caption>
        <thead>
          <tr>
            <td />
            {[7, 30, 90].map((days) => (
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
              {[7, 30, 90].map((days) => {
                const rate = value?.rates.find((each) => each.days === days)?.[kind];
                const all = rate ? rate.succeeded + rate.withWarnings + rate.failed : 0;
                return (
                  <td key={days}>
                    {rate === undefined || all === 0 ? (
                      <span className="secondary">{rate === undefined ? '\u00a0' : t('history.rates.none')}</span>
                    ) : (
                      <>
                        <strong>{percent((rate.succeeded + rate.withWarnings) / all)}</strong>{' '}
                        <span className="secondary">
                          {t('history.rates.of', { good: count(rate.succeeded + rate.withWarnings), all: count(all) })}
                        </span>
                      </>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <SizeChart sizes={value?.sizes ?? []} />
      {(value?.growth ?? []).map(({ destination, storedPerDay, fullAt, freeBytes }) =>
        fullAt === null ? null : (
          <p key={destination} className="secondary">
            {t('history.growth', { perDay: bytes(storedPerDay), free: bytes(freeBytes ?? 0), date: date(fullAt) })}
          </p>
        ),
      )}
    </div>
  );
}

import { Check } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Step } from './store.ts';
import styles from './Steps.module.css';

const steps = ['what', 'version', 'where', 'verify'] as const;

interface StepsProps {
  readonly at: Step | 'verify';
  /** Undefined where nobody can go back: what runs, runs. */
  readonly onGo?: (step: Step) => void;
  /** Steps up to this one can be gone to. */
  readonly reachable: Step;
}

/** The four steps of every restore, always visible. Those that are possible can be gone to. */
export function Steps({ at, onGo, reachable }: StepsProps) {
  const { t } = useTranslation();
  const here = steps.indexOf(at);
  return (
    <ol className={styles.steps} aria-label={t('restore.steps.label')}>
      {steps.map((step, index) => {
        const isOpen = onGo !== undefined && step !== 'verify' && index !== here && index <= Math.max(here, steps.indexOf(reachable));
        const mark = <span className={styles.number}>{index < here ? <Check size={14} strokeWidth={3} aria-hidden /> : index + 1}</span>;
        return (
          <li key={step} className={styles.step} data-here={index === here || undefined} data-done={index < here || undefined}>
            {isOpen ? (
              <button type="button" onClick={() => onGo(step)}>
                {mark}
                {t(`restore.steps.${step}`)}
              </button>
            ) : (
              <span aria-current={index === here ? 'step' : undefined}>
                {mark}
                {t(`restore.steps.${step}`)}
              </span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

import { UnstyledButton } from '@mantine/core';
import { Check, X } from 'lucide-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useService } from '../../live.ts';
import { leaveFirstRun } from './leave.ts';
import { Recover } from './Recover.tsx';
import { Protect } from './Protect.tsx';
import { Running } from './Running.tsx';
import { useSizes } from './sizes.ts';
import { type Step, useFirstRun } from './store.ts';
import styles from './View.module.css';
import { What } from './What.tsx';
import { Where } from './Where.tsx';

const steps: readonly Exclude<Step, 'running'>[] = ['what', 'where', 'protect'];

/** Three steps to the first backup, in the whole window. */
export default function FirstRun() {
  const { t } = useTranslation();
  const [path, go] = useLocation();
  const { step } = useFirstRun();
  const isRecovering = path === '/welcome/recover';
  const hasPlans = useService(({ plans }) => plans.length > 0) ?? false;
  useEffect(() => {
    document.title = t('frame.title', { place: isRecovering ? t('firstRun.recover.title') : t(`firstRun.${step}.step`) });
  }, [isRecovering, step, t]);
  useSizes(!isRecovering && step !== 'running');
  const at = step === 'running' ? steps.length : steps.indexOf(step);
  const leave = (): void => {
    leaveFirstRun();
    go('/');
  };
  return (
    <div className={styles.window}>
      <header className={styles.top}>
        <span className={styles.brand}>{t('frame.brand')}</span>
        <ol className={styles.steps} aria-label={t('firstRun.steps')} hidden={isRecovering}>
          {steps.map((each, index) => (
            <li key={each} aria-current={index === at ? 'step' : undefined} data-done={index < at || undefined}>
              <b>{index < at ? <Check size={12} strokeWidth={3} aria-hidden /> : index + 1}</b>
              <span>{t(`firstRun.${each}.step`)}</span>
            </li>
          ))}
        </ol>
        {step === 'running' && !isRecovering ? (
          <span />
        ) : (
          <UnstyledButton className={styles.later} onClick={leave}>
            <X size={16} aria-hidden />
            <span>{hasPlans ? t('ui.cancel') : t('firstRun.later')}</span>
          </UnstyledButton>
        )}
      </header>
      <main className={styles.main} id="main">
        {isRecovering ? (
          <Recover />
        ) : step === 'what' ? (
          <What />
        ) : step === 'where' ? (
          <Where />
        ) : step === 'protect' ? (
          <Protect />
        ) : (
          <Running />
        )}
      </main>
    </div>
  );
}

import { Button } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './StepFrame.module.css';

interface StepFrameProps {
  readonly title: string;
  readonly text: React.ReactNode;
  readonly children: React.ReactNode;
  /** Beside the buttons: what the choice amounts to. */
  readonly summary?: React.ReactNode;
  readonly verb: string;
  readonly isReady: boolean;
  readonly isBusy?: boolean;
  readonly onBack?: () => void;
  readonly onContinue: () => void;
}

/** One step: a title that takes the focus, one sentence, the choice, and the way on at the foot. Enter goes on. */
export function StepFrame({ title, text, children, summary, verb, isReady, isBusy = false, onBack, onContinue }: StepFrameProps) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <form
      className={styles.step}
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !isBusy) onContinue();
      }}
    >
      <div className={styles.content}>
        <h1 ref={heading} tabIndex={-1} className={styles.title}>
          {title}
        </h1>
        <p className={styles.text}>{text}</p>
        {children}
      </div>
      <footer className={styles.foot}>
        <div className={styles.inner}>
          <div className={styles.summary} role="status">
            {summary}
          </div>
          {onBack ? (
            <Button size="md" variant="default" onClick={onBack} disabled={isBusy}>
              {t('ui.back')}
            </Button>
          ) : null}
          <Button size="md" type="submit" disabled={!isReady} loading={isBusy}>
            {verb}
          </Button>
        </div>
      </footer>
    </form>
  );
}

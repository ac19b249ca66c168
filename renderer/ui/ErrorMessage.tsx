import { CircleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { errorWords } from './error-words.ts';
import styles from './ErrorMessage.module.css';

interface ErrorMessageProps {
  /** What was thrown, or what was kept of it. */
  readonly error: unknown;
  /** The one thing to do, as a button. */
  readonly action?: React.ReactNode;
  /** Whether it is read out at once: what answers an act of the person is. */
  readonly isUrgent?: boolean;
}

/** An error in three parts: what happened, what it means for the data, what to do. The system's own words only when asked for. */
export function ErrorMessage({ error, action, isUrgent = true }: ErrorMessageProps) {
  const { t } = useTranslation();
  const { what, means, todo, cause, code } = errorWords(error);
  return (
    <div className={styles.error} role={isUrgent ? 'alert' : undefined} data-code={code}>
      <CircleAlert size={18} aria-hidden className={styles.icon} />
      <div className={styles.words}>
        <p className={styles.what}>{what}</p>
        {means ? <p>{means}</p> : null}
        <p>{todo}</p>
        {cause ? (
          <details className={styles.cause}>
            <summary>{t('ui.moreWhere')}</summary>
            <code>{cause}</code>
          </details>
        ) : null}
      </div>
      {action ? <div className={styles.action}>{action}</div> : null}
    </div>
  );
}

import { CloseButton } from '@mantine/core';
import { CircleCheck } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ErrorMessage } from './ErrorMessage.tsx';
import { closeMessage, useMessages } from './messages.ts';
import styles from './Messages.module.css';

/** Where short messages appear. The region is always there, or screen readers would not hear of what comes into it. */
export function Messages() {
  const { t } = useTranslation();
  const { messages } = useMessages();
  return (
    <div className={styles.region} role="status" aria-live="polite">
      {messages.map(({ id, text, error }) => (
        <div key={id} className={styles.message}>
          {error === undefined ? (
            <p className={styles.text}>
              <CircleCheck size={18} aria-hidden />
              {text}
            </p>
          ) : (
            <ErrorMessage error={error} />
          )}
          <CloseButton size="sm" aria-label={t('ui.close')} onClick={() => closeMessage(id)} />
        </div>
      ))}
    </div>
  );
}

import { Button } from '@mantine/core';
import { Unplug } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { after } from '../clock.ts';
import { useLive } from '../live.ts';
import { Empty } from '../ui/Empty.tsx';
import { Note } from '../ui/Note.tsx';
import styles from './ConnectionNotice.module.css';

/** Said calmly above the screen while what it shows may be old. */
export function ConnectionNotice() {
  const { t } = useTranslation();
  const connection = useLive((live) => live.connection);
  const words = wordsFor(connection);
  return (
    <div className={styles.notice} role="status">
      {words ? (
        <Note
          kind="attention"
          title={t(`frame.${words}.title`)}
          action={words === 'otherVersion' ? <Button onClick={() => location.reload()}>{t('frame.otherVersion.reload')}</Button> : null}
        >
          {t(`frame.${words}.text`)} {words === 'otherVersion' ? null : t(`frame.${words}.how`)}
        </Note>
      ) : null}
    </div>
  );
}

/** Instead of all screens while the service has not been reached even once. */
export function Unconnected() {
  const { t } = useTranslation();
  const connection = useLive((live) => live.connection);
  const words = wordsFor(connection) ?? 'away';
  const [isSlow, setSlow] = useState(false);
  useEffect(() => after(300, () => setSlow(true)), []);
  useEffect(() => {
    document.title = t('frame.brand');
  }, [t]);
  if (!isSlow) return null;
  return (
    <main className={styles.alone}>
      <Empty
        isAlone
        icon={Unplug}
        title={t(`frame.${words}.title`)}
        action={words === 'otherVersion' ? <Button onClick={() => location.reload()}>{t('frame.otherVersion.reload')}</Button> : null}
      >
        {words === 'away' ? t('frame.away.textFirst') : t(`frame.${words}.text`)}{' '}
        {words === 'otherVersion' ? null : t(`frame.${words}.how`)}
      </Empty>
    </main>
  );
}

function wordsFor(connection: string): 'away' | 'otherAddress' | 'otherVersion' | undefined {
  if (connection === 'away') return 'away';
  if (connection === 'other-address') return 'otherAddress';
  return connection === 'other-version' ? 'otherVersion' : undefined;
}

import { Skeleton } from '@mantine/core';
import { File, Folder } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { shown } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import type { Chosen } from './store.ts';
import styles from './PreviewBox.module.css';

interface PreviewBoxProps {
  readonly snapshot: string;
  readonly entry: Chosen;
}

/** What a file holds: text, a picture, or why neither. */
export function PreviewBox({ snapshot, entry }: PreviewBoxProps) {
  const { t } = useTranslation();
  const isFile = entry.type === 'file';
  const { value, error, isWaiting } = useAnswer(isFile ? JSON.stringify([snapshot, entry.path]) : undefined, (signal) =>
    api.browse.preview({ snapshot, path: entry.path }, { signal }),
  );
  if (!isFile) {
    const Icon = entry.type === 'dir' ? Folder : File;
    return (
      <div className={styles.box}>
        <Icon size={40} strokeWidth={1.2} aria-hidden />
      </div>
    );
  }
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  if (!value || isWaiting) return <Skeleton className={styles.box} visible={isWaiting} />;
  if (value.kind === 'picture')
    return (
      <img
        className={styles.picture}
        src={`data:${value.mediaType};base64,${value.base64}`}
        alt={t('restore.preview.of', { name: shown(entry.name) })}
      />
    );
  if (value.kind === 'text')
    return (
      <pre className={styles.text} tabIndex={0} aria-label={t('restore.preview.of', { name: shown(entry.name) })}>
        {value.text}
        {value.isCut ? `\n${t('restore.preview.cut')}` : ''}
      </pre>
    );
  return (
    <div className={styles.box}>
      <File size={40} strokeWidth={1.2} aria-hidden />
      <span>{t(`restore.preview.none.${value.reason}`)}</span>
    </div>
  );
}

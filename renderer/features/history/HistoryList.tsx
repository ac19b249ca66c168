import { Button } from '@mantine/core';
import type { LucideIcon } from 'lucide-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { ServiceEvent } from '../../../src/contract/state.ts';
import { onServiceEvent } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import styles from './HistoryList.module.css';

interface HistoryListProps<T> {
  /** Another one is another list. */
  readonly name: string;
  readonly what: 'runs' | 'snapshots';
  readonly icon: LucideIcon;
  readonly ask: (cursor: string | undefined, signal: AbortSignal) => Promise<{ readonly rows: readonly T[]; readonly next: string | null }>;
  /** Whether the list is another one after it. */
  readonly isNews: (event: ServiceEvent) => boolean;
  readonly addressOf: (row: T) => string;
  readonly row: (row: T) => React.ReactNode;
}

/** Runs or snapshots, newest first, a page at a time; each opens. */
export function HistoryList<T>({ name, what, icon, ask, isNews, addressOf, row }: HistoryListProps<T>) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { rows, error, isWaiting, again, onRange } = usePages(name, ask);
  useEffect(
    () =>
      onServiceEvent((event) => {
        if (isNews(event)) again();
      }),
    [isNews, again],
  );
  if (error !== undefined)
    return <ErrorMessage error={error} isUrgent={false} action={<Button onClick={again}>{t('ui.tryAgain')}</Button>} />;
  if (isWaiting && rows.length === 0) return <Bones rows={6} height={56} />;
  if (rows.length === 0)
    return (
      <Empty icon={icon} title={t(`history.${what}.none.title`)}>
        {t(`history.${what}.none.text`)}
      </Empty>
    );
  const at = (index: number): T | undefined => rows[index] as T | undefined;
  return (
    <div className={styles.list}>
      <VirtualList
        label={t(`history.what.${what}`)}
        count={rows.length}
        rowHeight={56}
        onRange={onRange}
        onOpen={(index) => {
          const opened = at(index);
          if (opened !== undefined) go(addressOf(opened));
        }}
        row={(index) => {
          const shown = at(index);
          return shown === undefined ? null : row(shown);
        }}
      />
    </div>
  );
}

interface RowProps {
  readonly icon: React.ReactNode;
  readonly title: React.ReactNode;
  /** Facts below the title; those that are undefined are left out. */
  readonly facts: readonly (string | undefined)[];
  readonly when: string;
}

/** A row of such a list. */
export function HistoryRow({ icon, title, facts, when }: RowProps) {
  return (
    <div className={styles.row}>
      {icon}
      <span className={styles.words}>
        <span>{title}</span>
        <span className="secondary">{facts.filter((fact) => fact !== undefined).join(' · ')}</span>
      </span>
      <span className={styles.when}>{when}</span>
    </div>
  );
}

import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { RestoreRow } from '../../../src/contract/restore.ts';
import type { RestoreRequestInput } from '../../../src/contract/restore-request.ts';
import { api } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count, moment } from '../../ui/format.ts';
import { Note } from '../../ui/Note.tsx';
import { shown } from '../../ui/path-words.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import styles from './DryRun.module.css';
import { useSheet } from '../../ui/use-sheet.ts';

const actions = ['create', 'replace', 'beside', 'same', 'keep'] as const;

/** What a restore will do to every entry, before it does anything. */
export function DryRun({ request }: { readonly request: string }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const parsed = useMemo(() => JSON.parse(request) as RestoreRequestInput, [request]);
  const { rows, page, isComplete, error, onRange } = useSheet(request, {
    begin: (signal) => api.restore.preview.begin(parsed, { signal }),
    page: (sheet, after, signal) => api.restore.preview.page({ sheet, after, limit: 500 }, { signal }),
    end: (sheet) => api.restore.preview.end({ sheet }),
  });
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  if (!page) return <Bones rows={4} height={36} />;
  const { summary } = page;
  const isShort = summary !== null && summary.freeBytes !== null && summary.freeBytes < summary.bytes;
  return (
    <>
      <p role="status" className={styles.summary}>
        {summary === null
          ? t('restore.dry.counting', { count: page.counted, entries: count(page.counted) })
          : [
              ...actions
                .filter((action) => summary[action] > 0)
                .map((action) => t(`restore.dry.sum.${action}`, { count: summary[action], entries: count(summary[action]) })),
              t('restore.dry.bytes', { size: bytes(summary.bytes) }),
            ].join(' · ')}
      </p>
      {isShort ? (
        <div className={styles.note}>
          <Note kind="risk" title={t('restore.dry.short.title', { free: bytes(summary.freeBytes ?? 0), size: bytes(summary.bytes) })}>
            {t('restore.dry.short.text')}
          </Note>
        </div>
      ) : null}
      {summary && summary.problemCount > 0 ? (
        <div className={styles.note}>
          <Note kind="attention" title={t('restore.dry.problems', { count: summary.problemCount })}>
            {shown(summary.problems[0]?.path ?? '')}
          </Note>
        </div>
      ) : null}
      {rows.length === 0 && isComplete ? <p className="secondary">{t('restore.dry.nothing')}</p> : null}
      {rows.length > 0 ? (
        <div className={styles.table}>
          <div className={styles.rows}>
            <VirtualList
              label={t('restore.dry.title')}
              count={rows.length}
              rowHeight={44}
              onRange={onRange}
              row={(index) => {
                const row = rows[index];
                return row ? <Row row={row} now={now} /> : null;
              }}
            />
          </div>
        </div>
      ) : null}
    </>
  );
}

function Row({ row, now }: { readonly row: RestoreRow; readonly now: number }) {
  const { t } = useTranslation();
  const facts = (size: number, changed: number | null): string =>
    [row.type === 'dir' ? '' : bytes(size), changed === null ? '' : moment(changed, now)].filter((text) => text !== '').join(', ');
  return (
    <div className={styles.row}>
      <span className={styles.action} data-action={row.action}>
        {t(`restore.dry.action.${row.action}`)}
      </span>
      <span className={styles.path}>
        <span>{shown(row.path)}</span>
        {row.other === null ? null : <span className="secondary">{t('restore.dry.other', { name: shown(row.other) })}</span>}
      </span>
      <span className={styles.sides}>
        {row.existingSize === null ? null : <span>{t('restore.dry.there', { facts: facts(row.existingSize, row.existingChanged) })}</span>}
        <span>{t('restore.dry.restored', { facts: facts(row.size, row.changed) })}</span>
      </span>
    </div>
  );
}

import { useTranslation } from 'react-i18next';
import type { DiffRow } from '../../../src/contract/snapshots.ts';
import { api } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count } from '../../ui/format.ts';
import { shown } from '../../ui/path-words.ts';
import { useSheet } from '../../ui/use-sheet.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import styles from './Changes.module.css';

/** What differs from the snapshot before it: added, changed, removed, with sizes. */
export function Changes({ snapshot }: { readonly snapshot: string }) {
  const { t } = useTranslation();
  const { rows, page, isComplete, error, onRange } = useSheet(snapshot, {
    begin: (signal) => api.snapshots.diff.begin({ second: snapshot }, { signal }),
    page: (sheet, after, signal) => api.snapshots.diff.page({ sheet, after, limit: 500 }, { signal }),
    end: (sheet) => api.snapshots.diff.end({ sheet }),
  });
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  if (!page) return <Bones rows={3} height={36} />;
  const { summary } = page;
  return (
    <>
      <p role="status" className={styles.summary}>
        {summary === null
          ? t('history.changes.counting', { count: page.counted, entries: count(page.counted) })
          : t('history.changes.sum', {
              added: count(summary.added.files),
              addedSize: bytes(summary.added.bytes),
              changed: count(summary.content.files),
              removed: count(summary.removed.files),
              removedSize: bytes(summary.removed.bytes),
              moved: count(summary.moved.files),
            })}
      </p>
      {rows.length === 0 && isComplete ? <p className="secondary">{t('history.changes.none')}</p> : null}
      {rows.length > 0 ? (
        <div className={styles.list}>
          <VirtualList
            label={t('history.changes.title')}
            count={rows.length}
            rowHeight={36}
            onRange={onRange}
            row={(index) => {
              const row = rows[index];
              return row ? <Row row={row} /> : null;
            }}
          />
        </div>
      ) : null}
    </>
  );
}

function Row({ row: { kind, path, from, before, after } }: { readonly row: DiffRow }) {
  const { t } = useTranslation();
  const sizes = [before, after].filter((side) => side?.type === 'file').map((side) => bytes(side?.size ?? 0));
  return (
    <div className={styles.row}>
      <span className={styles.kind} data-kind={kind}>
        {t(`history.changes.kind.${kind}`)}
      </span>
      <span className={styles.path}>
        {from === null ? shown(path) : t('history.changes.from', { from: shown(from), path: shown(path) })}
      </span>
      <span className={styles.size}>{sizes.length === 2 && sizes[0] !== sizes[1] ? sizes.join(' → ') : (sizes[0] ?? '')}</span>
    </div>
  );
}

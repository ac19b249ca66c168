import { Button, Select } from '@mantine/core';
import { ArrowDown, ArrowUp, CornerLeftUp, FolderOpen } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { browseOrders } from '../../../src/contract/browse.ts';
import { api } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count } from '../../ui/format.ts';
import { above } from '../../ui/path-words.ts';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import { EntryRow } from './EntryRow.tsx';
import { chosenAbove, type Order, pick, setRestore, useRestore } from './store.ts';
import styles from './EntryList.module.css';

/** A folder as it was. Space ticks a row, Enter opens a folder or shows a file. */
export function EntryList({ snapshot, path }: { readonly snapshot: string; readonly path: string }) {
  const { t } = useTranslation();
  const { order, descending, chosen, looked } = useRestore();
  const pages = usePages(JSON.stringify([snapshot, path, order, descending]), async (cursor, signal) => {
    const asked = {
      snapshot,
      path,
      order,
      descending,
      limit: cursor === undefined ? 200 : 1000,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const { entries, next, total } = await api.browse.folder(asked, { signal });
    return { rows: entries, next, total };
  });
  const { rows, page, error, isWaiting } = pages;
  // Another folder is another list: whoever has gone there by the keyboard stays at the list, or where it is empty, at the way back.
  const isHere = useRef(false);
  const way = useRef<HTMLButtonElement>(null);
  const goTo = (to: string): void => {
    isHere.current = true;
    setRestore({ path: to, looked: undefined });
  };
  const isShown = rows.length > 0 || !isWaiting;
  useEffect(() => {
    if (!isShown || !isHere.current) return;
    isHere.current = false;
    if (rows.length === 0) way.current?.focus({ preventScroll: true });
  }, [isShown, rows.length]);
  const Direction = descending ? ArrowDown : ArrowUp;
  return (
    <div className={styles.panel} aria-busy={isWaiting}>
      <div className={styles.head}>
        <Button
          variant="subtle"
          size="compact-sm"
          ref={way}
          leftSection={<CornerLeftUp size={16} aria-hidden />}
          disabled={path === '/'}
          onClick={() => setRestore({ path: above(path) })}
        >
          {t('restore.list.up')}
        </Button>
        <span className={styles.total}>
          {page ? t('restore.list.total', { count: page.total.entries, entries: count(page.total.entries) }) : ''}
        </span>
        <Select
          size="xs"
          className={styles.order}
          aria-label={t('restore.list.order')}
          data={browseOrders.map((each) => ({ value: each, label: t(`restore.list.by.${each}`) }))}
          value={order}
          allowDeselect={false}
          onChange={(next) => next !== null && setRestore({ order: next as Order, descending: next !== 'name' })}
        />
        <Button
          variant="subtle"
          size="compact-sm"
          aria-label={t(descending ? 'restore.list.descending' : 'restore.list.ascending')}
          onClick={() => setRestore({ descending: !descending })}
        >
          <Direction size={16} aria-hidden />
        </Button>
      </div>
      <div className={styles.rows}>
        {error === undefined ? null : (
          <ErrorMessage error={error} isUrgent={false} action={<Button onClick={pages.again}>{t('ui.tryAgain')}</Button>} />
        )}
        {isWaiting && rows.length === 0 ? <Bones rows={7} height={40} /> : null}
        {!isWaiting && rows.length === 0 && error === undefined ? (
          <Empty icon={FolderOpen} title={t('restore.list.empty.title')}>
            {t('restore.list.empty.text')}
          </Empty>
        ) : null}
        {rows.length > 0 ? (
          <VirtualList
            label={t('restore.list.label')}
            count={rows.length}
            rowHeight={40}
            isMultiple
            takesFocus={isHere.current}
            {...(path === '/' ? {} : { onBack: () => goTo(above(path)) })}
            isPicked={(index) => chosen.has(rows[index]?.path ?? '')}
            onRange={pages.onRange}
            onActive={(index) => setRestore({ looked: rows[index] })}
            onOpen={(index) => {
              const entry = rows[index];
              if (entry?.type === 'dir') goTo(entry.path);
            }}
            onPick={(index) => {
              const entry = rows[index];
              if (entry && chosenAbove(chosen, entry.path) === undefined) pick(entry);
            }}
            row={(index) => {
              const entry = rows[index];
              return entry ? (
                <EntryRow
                  entry={entry}
                  isChosen={chosen.has(entry.path)}
                  isWithin={chosenAbove(chosen, entry.path) !== undefined}
                  isLooked={looked?.path === entry.path}
                  detail={entry.type === 'file' ? bytes(entry.size) : ''}
                />
              ) : null;
            }}
          />
        ) : null}
      </div>
    </div>
  );
}

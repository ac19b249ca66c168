import { Button } from '@mantine/core';
import { SearchX } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Note } from '../../ui/Note.tsx';
import { above } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import { EntryRow } from './EntryRow.tsx';
import { queryOf } from './scopes.ts';
import { chosenAbove, pick, setRestore, useRestore } from './store.ts';
import styles from './EntryList.module.css';

/** What has the text in its name, in any snapshot of any destination. Opening a hit shows its folder as it was in the newest that holds it. */
export function SearchHits({ text, scope }: { readonly text: string; readonly scope: string }) {
  const { t } = useTranslation();
  const { chosen, looked } = useRestore();
  const plan = queryOf(scope)?.plan;
  const plans = useService((state) => state.plans);
  const pages = usePages(JSON.stringify([text, plan]), async (cursor, signal) => {
    const asked = { text, ...(plan === undefined ? {} : { plan }), ...(cursor === undefined ? {} : { cursor }) };
    const { hits, next } = await api.catalogue.search(asked, { signal });
    return { rows: hits, next };
  });
  const state = useAnswer('catalogue', (signal) => api.catalogue.state(undefined, { signal }));
  const isPartial = state.value?.destinations.some((each) => each.state !== 'complete');
  const { rows, error, isWaiting } = pages;
  return (
    <div className={styles.panel} aria-busy={isWaiting}>
      {isPartial ? (
        <Note kind="idle" title={t('restore.search.partial.title')}>
          {t('restore.search.partial.text')}
        </Note>
      ) : null}
      <div className={styles.rows}>
        {error === undefined ? null : (
          <ErrorMessage error={error} isUrgent={false} action={<Button onClick={pages.again}>{t('ui.tryAgain')}</Button>} />
        )}
        {isWaiting && rows.length === 0 ? <Bones rows={7} height={40} /> : null}
        {!isWaiting && rows.length === 0 && error === undefined && !pages.hasMore ? (
          <Empty icon={SearchX} title={t('restore.search.none.title', { text })}>
            {t('restore.search.none.text')}
          </Empty>
        ) : null}
        {rows.length > 0 ? (
          <VirtualList
            label={t('restore.search.label')}
            count={rows.length}
            rowHeight={48}
            isMultiple
            isPicked={(index) => chosen.has(rows[index]?.path ?? '')}
            onRange={pages.onRange}
            onActive={(index) => {
              const hit = rows[index];
              if (hit) setRestore({ looked: hit, snapshot: hit.last.snapshot });
            }}
            onOpen={(index) => {
              const hit = rows[index];
              if (hit)
                setRestore({ search: '', snapshot: hit.last.snapshot, path: hit.type === 'dir' ? hit.path : above(hit.path), looked: hit });
            }}
            onPick={(index) => {
              const hit = rows[index];
              if (!hit || chosenAbove(chosen, hit.path) !== undefined) return;
              setRestore({ snapshot: hit.last.snapshot });
              pick(hit);
            }}
            row={(index) => {
              const hit = rows[index];
              return hit ? (
                <EntryRow
                  entry={hit}
                  isChosen={chosen.has(hit.path)}
                  isWithin={chosenAbove(chosen, hit.path) !== undefined}
                  isLooked={looked?.path === hit.path}
                  where={[above(hit.path), plans?.find(({ id }) => id === hit.plan)?.name].filter(Boolean).join(' · ')}
                  detail={t('restore.search.versions', { count: hit.versions })}
                />
              ) : null;
            }}
          />
        ) : null}
      </div>
    </div>
  );
}

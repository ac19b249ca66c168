import { Button, CloseButton, Select, TextInput } from '@mantine/core';
import { History, Search } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { api } from '../../api.ts';
import { useNow, useSettled } from '../../clock.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count, moment } from '../../ui/format.ts';
import { Note } from '../../ui/Note.tsx';
import { Page } from '../../ui/Page.tsx';
import { commonFolder, lastName, shown } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { Crumbs } from './Crumbs.tsx';
import { Details } from './Details.tsx';
import { EntryList } from './EntryList.tsx';
import { computerScope, firstScope, planScope } from './scopes.ts';
import { Scrubber } from './Scrubber.tsx';
import { SearchHits } from './SearchHits.tsx';
import { Steps } from './Steps.tsx';
import { setRestore, useRestore } from './store.ts';
import { Undoable } from './Undoable.tsx';
import { useSnapshots } from './use-snapshots.ts';
import styles from './What.module.css';

/** The first step: what is wanted back, browsed as it was at any time or searched over all versions. */
export function What() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const plans = useService((state) => state.plans);
  const { scope, snapshot, path, chosen, search, looked } = useRestore();
  const computers = useAnswer('computers', (signal) => api.snapshots.computers(undefined, { signal }));
  useEffect(() => {
    if (scope !== '' || !plans || (plans.length === 0 && !computers.value)) return;
    const first = firstScope(plans, computers.value?.computers ?? []);
    if (first !== undefined) setRestore({ scope: first });
  }, [scope, plans, computers.value]);
  const { value, error, again } = useSnapshots(scope);
  const snapshots = value?.snapshots;
  useEffect(() => {
    // One that is gone meanwhile leaves its place to the newest.
    if (!snapshots || snapshots.some(({ key }) => key === snapshot)) return;
    const newest = snapshots.at(-1);
    setRestore({ snapshot: newest?.key, ...(snapshot === undefined && newest ? { path: commonFolder(newest.paths) } : {}) });
  }, [snapshots, snapshot]);
  const current = snapshots?.find(({ key }) => key === snapshot);
  const settledKey = useSettled(current?.key, 120);
  const now = useNow(60_000);
  const options = useMemo(
    () => [
      ...(plans ?? []).map(({ id, name }) => ({ value: planScope(id), label: name })),
      ...(computers.value?.computers ?? []).map((computer) => ({
        value: computerScope(computer),
        label: computer.isOwn
          ? t('restore.what.thisComputer')
          : t('restore.what.computer', { host: computer.hostname, user: computer.username }),
      })),
    ],
    [plans, computers.value, t],
  );
  const isEmpty = snapshots?.length === 0 || (plans?.length === 0 && computers.value?.computers.length === 0);
  const failed = (value?.asked ?? []).filter((each) => each.error !== null && each.readAt === null);
  const settledSearch = useSettled(search.trim(), 250);
  const total = [...chosen.values()].reduce((sum, { size }) => sum + size, 0);
  const hasFolders = [...chosen.values()].some(({ type }) => type === 'dir');
  return (
    <Page
      place={t('frame.place.restore')}
      title={
        current
          ? t('restore.what.titleAt', {
              name: path === '/' ? t('restore.what.allFiles') : shown(lastName(path)),
              time: moment(current.time, now),
            })
          : t('restore.what.title')
      }
      reason={<Steps at="what" reachable={chosen.size > 0 ? 'where' : 'what'} onGo={(step) => setRestore({ step })} />}
      action={
        <>
          {chosen.size > 0 ? (
            <span className={styles.tally}>
              {hasFolders
                ? t('restore.what.chosen', { count: chosen.size })
                : t('restore.what.chosenSize', { count: chosen.size, size: bytes(total) })}
              <CloseButton size="sm" aria-label={t('restore.what.unpick')} onClick={() => setRestore({ chosen: new Map() })} />
            </span>
          ) : null}
          <Button disabled={chosen.size === 0} onClick={() => setRestore({ step: 'version' })}>
            {t('ui.continue')}
          </Button>
        </>
      }
    >
      {error === undefined ? null : (
        <ErrorMessage error={error} isUrgent={false} action={<Button onClick={again}>{t('ui.tryAgain')}</Button>} />
      )}
      {failed.length > 0 ? (
        <div className={styles.note}>
          <Note kind="attention" title={t('restore.what.notAsked.title', { count: failed.length })}>
            {t('restore.what.notAsked.text')}
          </Note>
        </div>
      ) : null}
      {isEmpty ? (
        <Empty
          icon={History}
          title={t('restore.what.empty.title')}
          action={<Button onClick={() => go('/')}>{t('restore.what.empty.act')}</Button>}
        >
          {t('restore.what.empty.text')}
        </Empty>
      ) : null}
      {!snapshots && error === undefined && !isEmpty ? <Bones rows={8} height={48} /> : null}
      {snapshots && current ? (
        <>
          <Scrubber snapshots={snapshots} value={current.key} onChange={(key) => setRestore({ snapshot: key })} />
          <div className={styles.bar}>
            <Select
              aria-label={t('restore.what.whose')}
              className={styles.whose}
              data={options}
              value={scope}
              allowDeselect={false}
              onChange={(next) =>
                next !== null && setRestore({ scope: next, snapshot: undefined, path: '/', looked: undefined, chosen: new Map() })
              }
            />
            <Crumbs path={path} onGo={(to) => setRestore({ path: to })} />
            <TextInput
              className={styles.search}
              type="search"
              placeholder={t('restore.what.search')}
              aria-label={t('restore.what.search')}
              leftSection={<Search size={16} aria-hidden />}
              value={search}
              onChange={(event) => setRestore({ search: event.currentTarget.value })}
            />
          </div>
          <div className={styles.columns}>
            <div className={styles.list}>
              {settledSearch === '' ? (
                <EntryList snapshot={settledKey ?? current.key} path={path} />
              ) : (
                <SearchHits text={settledSearch} scope={scope} />
              )}
            </div>
            <Details entry={looked} snapshot={settledKey ?? current.key} />
          </div>
          <p className="secondary" role="status">
            {t('restore.what.holders', { names: count(current.holders.length), count: current.holders.length })}
          </p>
        </>
      ) : null}
      <Undoable />
    </Page>
  );
}

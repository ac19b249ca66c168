import { Anchor, Button, Group, Switch, Textarea, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { SnapshotView } from '../../../src/contract/snapshots.ts';
import { api } from '../../api.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { bytes, count, exact, list } from '../../ui/format.ts';
import { attempt, say } from '../../ui/messages.ts';
import { Page, Section } from '../../ui/Page.tsx';
import { commonFolder, shown } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { planScope, computerScope } from '../restore/scopes.ts';
import { beginAnew, setRestore } from '../restore/store.ts';
import { Changes } from './Changes.tsx';
import { DeleteSnapshot } from './DeleteSnapshot.tsx';

/** One snapshot: what it is, what a person notes of it, what changed, and its end. */
export function SnapshotPage({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { value: snapshot, error, again } = useAnswer(id, (signal) => api.snapshots.get({ snapshot: id }, { signal }));
  const look = (of: SnapshotView): void => {
    beginAnew();
    setRestore({
      scope: of.plan !== null && of.planName !== null ? planScope(of.plan) : computerScope(of),
      snapshot: of.key,
      path: commonFolder(of.paths),
    });
    go('/restore');
  };
  return (
    <Page
      place={t('frame.place.history')}
      title={snapshot ? (snapshot.name ?? t('history.snapshot.title', { time: exact(snapshot.time) })) : t('frame.place.history')}
      reason={
        <Anchor component={Link} href="/history" size="sm">
          {t('history.back')}
        </Anchor>
      }
      action={snapshot ? <Button onClick={() => look(snapshot)}>{t('history.snapshot.browse')}</Button> : null}
    >
      {error === undefined ? null : <ErrorMessage error={error} action={<Button onClick={again}>{t('ui.tryAgain')}</Button>} />}
      {!snapshot && error === undefined ? <Bones rows={5} height={48} /> : null}
      {snapshot ? (
        <>
          <SnapshotFacts snapshot={snapshot} />
          <Notes snapshot={snapshot} onChange={again} />
          <Section title={t('history.changes.title')}>
            <Changes snapshot={snapshot.key} />
          </Section>
          <Group mt="xl">
            <DeleteSnapshot snapshot={snapshot} />
          </Group>
        </>
      ) : null}
    </Page>
  );
}

function SnapshotFacts({ snapshot }: { readonly snapshot: SnapshotView }) {
  const { t } = useTranslation();
  const destinations = useService((state) => state.destinations) ?? [];
  const { figures } = snapshot;
  const names = snapshot.holders.map(({ destination }) => destinations.find(({ id }) => id === destination)?.name ?? destination);
  return (
    <Facts
      facts={[
        [t('history.snapshot.time'), exact(snapshot.time)],
        [t('history.snapshot.from'), snapshot.planName ?? `${snapshot.hostname}, ${snapshot.username}`],
        [t('history.snapshot.paths'), list(snapshot.paths.map(shown))],
        [t('history.snapshot.on'), names.length === 0 ? t('history.snapshot.nowhere') : list(names)],
        ...(snapshot.strategy === null ? [] : [[t('history.run.strategy'), t(`history.strategy.${snapshot.strategy}`)] as const]),
        ...(figures
          ? ([
              [t('history.run.files'), t('history.run.filesOf', { files: count(figures.files), size: bytes(figures.bytes) })],
              [
                t('history.run.stored'),
                t('history.run.storedOf', { added: bytes(figures.bytesAdded), stored: bytes(figures.bytesStored) }),
              ],
            ] as const)
          : []),
        ...(snapshot.program === '' ? [] : [[t('history.snapshot.program'), snapshot.program] as const]),
        [t('history.snapshot.id'), snapshot.key.slice(0, 8)],
      ]}
    />
  );
}

function Notes({ snapshot, onChange }: { readonly snapshot: SnapshotView; readonly onChange: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(snapshot.name ?? '');
  const [comment, setComment] = useState(snapshot.comment ?? '');
  useEffect(() => {
    setName(snapshot.name ?? '');
    setComment(snapshot.comment ?? '');
  }, [snapshot.name, snapshot.comment]);
  const save = async (notes: { pinned?: boolean; name?: string | null; comment?: string | null }): Promise<void> => {
    if (await attempt(() => api.snapshots.annotate({ snapshot: snapshot.key, ...notes }))) {
      say(t('history.snapshot.noted'));
      onChange();
    }
  };
  const isSame = name.trim() === (snapshot.name ?? '') && comment.trim() === (snapshot.comment ?? '');
  return (
    <Section title={t('history.snapshot.notes')}>
      <Switch
        checked={snapshot.pinned}
        onChange={(event) => void save({ pinned: event.currentTarget.checked })}
        label={t('history.snapshot.pin')}
        description={t('history.snapshot.pinText')}
      />
      <TextInput
        mt="md"
        label={t('history.snapshot.name')}
        value={name}
        maxLength={200}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        mt="md"
        autosize
        minRows={2}
        label={t('history.snapshot.comment')}
        value={comment}
        maxLength={10_000}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <Button
        mt="md"
        variant="default"
        disabled={isSame}
        onClick={() => void save({ name: name.trim() || null, comment: comment.trim() || null })}
      >
        {t('history.snapshot.save')}
      </Button>
    </Section>
  );
}

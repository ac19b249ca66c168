import { Anchor, Button, Checkbox, Group, PasswordInput, SegmentedControl, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { ConnectionReport } from '../../../src/contract/connections.ts';
import { api } from '../../api.ts';
import { useSettled } from '../../clock.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes } from '../../ui/format.ts';
import { say } from '../../ui/messages.ts';
import { Page } from '../../ui/Page.tsx';
import { type Condition, StateWord } from '../../ui/StateDot.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import { type Answers, credentialsOf, missingFields, nameOf, placeOf, type ServerKind } from '../connect/kinds.ts';
import { PlaceForm } from '../connect/PlaceForm.tsx';
import { FolderPicker } from '../files/FolderPicker.tsx';
import styles from './AddDestination.module.css';

interface AddDestinationProps {
  /** The plan that is to keep a copy there: the way leads on to it. */
  readonly plan: string | undefined;
  readonly beginsWith: 'folder' | 'server';
}

/** Connects a place of any kind: it is tested first, and a repository is made there where none is. */
export function AddDestination({ plan, beginsWith }: AddDestinationProps) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [kind, setKind] = useState<'folder' | 'server'>(beginsWith);
  const [folder, setFolder] = useState('');
  const [server, setServer] = useState<{ kind: ServerKind; answers: Answers }>({ kind: 'sftp', answers: {} });
  const [name, setName] = useState('');
  const [eject, setEject] = useState(false);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [missing, setMissing] = useState<readonly string[]>([]);
  const [isPicking, setPicking] = useState(false);
  const [report, setReport] = useState<ConnectionReport>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState<'test' | 'connect'>();
  const isServer = kind === 'server';
  const settled = useSettled(folder.trim(), 300);
  const { value: capacity } = useAnswer(isServer || !settled.startsWith('/') ? undefined : settled, (signal) =>
    api.files.capacity({ path: settled }, { signal }),
  );

  /** What was typed, or undefined when something is missing. */
  const typed = (): { place: string; credentials: Record<string, string>; name: string } | undefined => {
    const lacking = isServer ? missingFields(server.kind, server.answers) : folder.trim() === '' ? ['folder'] : [];
    setMissing(lacking);
    if (lacking.length > 0) return undefined;
    return isServer
      ? {
          place: placeOf(server.kind, server.answers),
          credentials: credentialsOf(server.kind, server.answers),
          name: nameOf(server.kind, server.answers),
        }
      : { place: folder.trim(), credentials: {}, name: '' };
  };
  const attemptIt = async (what: 'test' | 'connect', act: (at: NonNullable<ReturnType<typeof typed>>) => Promise<void>): Promise<void> => {
    const at = typed();
    setError(undefined);
    setReport(undefined);
    if (!at) return;
    setBusy(what);
    try {
      await act(at);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(undefined);
    }
  };
  const test = (): Promise<void> =>
    attemptIt('test', async ({ place, credentials }) => {
      setReport(await api.connections.test({ place, credentials, ...(password === '' ? {} : { password }), create: true }));
    });
  const connect = (): Promise<void> =>
    attemptIt('connect', async ({ place, credentials, name: usual }) => {
      const called = name.trim() || usual;
      const made = await api.destinations.connect({
        place,
        credentials,
        password,
        create: true,
        ejectAfterRun: eject,
        ...(called === '' ? {} : { name: called }),
      });
      say(t('destinations.add.done', { name: made.name }));
      go(plan === undefined ? `/destinations/${made.id}` : `/plans/${plan}/with/${made.id}`);
    });
  const isNew = report?.verdict !== 'ready';
  const isReady = password !== '' && (!isNew || password === again);
  return (
    <Page
      place={t('frame.place.destinations')}
      title={t('destinations.add.act')}
      reason={
        <Anchor component={Link} href="/destinations" size="sm">
          {t('destinations.back')}
        </Anchor>
      }
      action={
        <>
          <Button variant="default" loading={busy === 'test'} disabled={busy === 'connect'} onClick={() => void test()}>
            {t('destinations.add.test')}
          </Button>
          <Button loading={busy === 'connect'} disabled={!isReady || busy === 'test'} onClick={() => void connect()}>
            {t('destinations.add.connect')}
          </Button>
        </>
      }
    >
      {error === undefined ? null : <ErrorMessage error={error} />}
      {report ? <Report report={report} /> : null}
      <SegmentedControl
        aria-label={t('destinations.add.kind')}
        value={kind}
        onChange={(next) => {
          setKind(next as 'folder' | 'server');
          setReport(undefined);
        }}
        data={[
          { value: 'folder', label: t('destinations.add.folder') },
          { value: 'server', label: t('destinations.add.server') },
        ]}
      />
      <div className={styles.form}>
        {isServer ? (
          <PlaceForm {...server} missing={missing} onChange={(next, answers) => setServer({ kind: next, answers })} />
        ) : (
          <>
            <Group align="end" gap="xs">
              <TextInput
                className={styles.path}
                label={t('destinations.add.path')}
                description={
                  capacity?.freeBytes
                    ? t(capacity.isHomeDisk ? 'destinations.add.freeSameDisk' : 'destinations.add.free', {
                        size: bytes(capacity.freeBytes),
                      })
                    : t('destinations.add.pathText')
                }
                error={missing.includes('folder') ? t('destinations.add.pathMissing') : undefined}
                value={folder}
                spellCheck={false}
                onChange={(event) => setFolder(event.currentTarget.value)}
              />
              <Button variant="default" onClick={() => setPicking(true)}>
                {t('destinations.add.choose')}
              </Button>
            </Group>
            <Checkbox
              mt="md"
              checked={eject}
              label={t('destinations.add.eject')}
              onChange={(event) => setEject(event.currentTarget.checked)}
            />
          </>
        )}
        <TextInput
          mt="md"
          maw={400}
          label={t('destinations.add.name')}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          mt="md"
          maw={400}
          label={t('destinations.add.password')}
          description={t('destinations.add.passwordText')}
          value={password}
          autoComplete="new-password"
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {isNew ? (
          <PasswordInput
            mt="md"
            maw={400}
            label={t('destinations.add.again')}
            error={again !== '' && again !== password ? t('destinations.password.different') : undefined}
            value={again}
            autoComplete="new-password"
            onChange={(event) => setAgain(event.currentTarget.value)}
          />
        ) : null}
      </div>
      <FolderPicker isOpen={isPicking} title={t('destinations.add.choose')} onClose={() => setPicking(false)} onChoose={setFolder} />
    </Page>
  );
}

const conditions: Readonly<Record<ConnectionReport['steps'][number]['result'], Condition>> = {
  ok: 'fine',
  warning: 'attention',
  failed: 'risk',
  skipped: 'idle',
};

/** What was tried, step by step. */
function Report({ report }: { readonly report: ConnectionReport }) {
  const { t } = useTranslation();
  return (
    <div className={styles.report} role="status">
      <h2>{t(`destinations.add.verdict.${report.verdict}`)}</h2>
      <ul>
        {report.steps.map(({ step, result }) => (
          <li key={step}>
            <StateWord state={conditions[result]}>
              {t('destinations.add.stepResult', {
                step: t(`destinations.add.step.${step}`),
                result: t(`destinations.add.result.${result}`),
              })}
            </StateWord>
          </li>
        ))}
      </ul>
      {report.error ? <ErrorMessage error={report.error} isUrgent={false} /> : null}
    </div>
  );
}

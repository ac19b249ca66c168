import { Button, Group, Menu } from '@mantine/core';
import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { RestoreReceipt } from '../../../src/contract/restore-request.ts';
import type { Run } from '../../../src/contract/run.ts';
import { api, desktop } from '../../api.ts';
import { spoken } from '../../i18n/i18n.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Confirm } from '../../ui/Confirm.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { bytes, count, exact, span } from '../../ui/format.ts';
import { attempt, say } from '../../ui/messages.ts';
import { Note } from '../../ui/Note.tsx';
import { Page } from '../../ui/Page.tsx';
import { above, shown } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { RunLine } from '../home/RunLine.tsx';
import { useRun } from '../runs/use-run.ts';
import { Steps } from './Steps.tsx';
import { beginAnew } from './store.ts';
import styles from './Verify.module.css';

/** The last step: the restore at work, and then its receipt, which says what was compared with the snapshot. */
export function Verify({ id }: { readonly id: number }) {
  const { t } = useTranslation();
  const { run, progress, hasEnded, error } = useRun(id);
  return (
    <Page place={t('frame.place.restore')} title={<Title run={run} />} reason={<Steps at="verify" reachable="what" />}>
      {error === undefined ? null : <ErrorMessage error={error} />}
      {!run && error === undefined ? <Bones rows={3} height={48} /> : null}
      {run && !hasEnded ? (
        <div className={styles.work}>
          <p>{t(progress?.phase === 'verifying' ? 'restore.verify.comparing' : 'restore.verify.writing')}</p>
          <RunLine run={run} progress={progress} />
        </div>
      ) : null}
      {run && hasEnded ? <Ended run={run} /> : null}
    </Page>
  );
}

function Title({ run }: { readonly run: Run | undefined }) {
  const { t } = useTranslation();
  if (!run) return t('restore.steps.verify');
  const kind = run.kind === 'undo' ? 'undo' : 'restore';
  if (run.status === 'running') return t(`restore.verify.title.running.${kind}`);
  if (run.status === 'succeeded') return t(`restore.verify.title.succeeded.${kind}`);
  return t(`restore.verify.title.${run.status}`);
}

function Ended({ run }: { readonly run: Run }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { value: receipt, error } = useAnswer(run.kind === 'restore' ? String(run.id) : undefined, (signal) =>
    api.restore.receipt({ run: run.id }, { signal }),
  );
  const again = (
    <Button
      variant="default"
      onClick={() => {
        beginAnew();
        go('/restore');
      }}
    >
      {t('restore.verify.more')}
    </Button>
  );
  return (
    <>
      {run.error ? <ErrorMessage error={run.error} isUrgent={false} /> : null}
      {run.kind === 'undo' && run.status === 'succeeded' ? <Note kind="fine" title={t('restore.verify.undone')} /> : null}
      {receipt ? <Receipt receipt={receipt} /> : null}
      {error !== undefined && !run.error ? <ErrorMessage error={error} isUrgent={false} /> : null}
      {run.kind === 'restore' && !receipt && error === undefined ? <Bones rows={4} height={40} /> : null}
      <Group gap="xs" className={styles.acts}>
        {receipt ? <SaveReceipt run={run.id} /> : null}
        {receipt && desktop && receipt.target.kind !== 'original' ? <OpenFolder receipt={receipt} /> : null}
        {run.status === 'interrupted' || run.status === 'failed' || run.status === 'cancelled' ? <Again run={run} /> : null}
        {receipt?.undo ? <Undo receipt={receipt} undo={receipt.undo} /> : null}
        {again}
      </Group>
    </>
  );
}

function Receipt({ receipt }: { readonly receipt: RestoreReceipt }) {
  const { t } = useTranslation();
  const { compared, target } = receipt;
  const isWhole = compared !== null && compared.different === 0 && receipt.problemCount === 0;
  const rows: [string, string][] = [
    [t('restore.receipt.where'), target.kind === 'original' ? t('restore.where.target.original') : shown(target.path)],
    [t('restore.receipt.from'), `${receipt.destination.name}, ${exact(receipt.snapshot.time)}`],
    ...(['created', 'replaced', 'beside', 'same', 'kept', 'folders'] as const)
      .filter((name) => receipt[name] > 0)
      .map((name): [string, string] => [t(`restore.receipt.${name}`), count(receipt[name])]),
    [t('restore.receipt.written'), bytes(receipt.bytesWritten)],
    ...(receipt.zipBytes === null ? [] : [[t('restore.receipt.zip'), bytes(receipt.zipBytes)] as [string, string]]),
    [t('restore.receipt.took'), span((receipt.ended - receipt.started) / 1000)],
  ];
  return (
    <>
      {compared === null ? null : (
        <div className={styles.verdict}>
          <Note
            kind={isWhole ? 'fine' : 'risk'}
            title={
              isWhole
                ? t('restore.receipt.allSame', { count: compared.entries, entries: count(compared.entries) })
                : t('restore.receipt.different', { count: compared.different, problems: count(receipt.problemCount) })
            }
          >
            {t('restore.receipt.comparedBytes', { size: bytes(compared.bytes) })}
          </Note>
        </div>
      )}
      {receipt.failedDestinations.length > 0 ? (
        <div className={styles.verdict}>
          <Note
            kind="attention"
            title={t('restore.receipt.otherDestination', {
              failed: receipt.failedDestinations.map(({ name }) => name).join(', '),
              name: receipt.destination.name,
            })}
          />
        </div>
      ) : null}
      <Facts facts={rows} />
      {receipt.problems.length > 0 ? (
        <section className={styles.problems}>
          <h2>{t('restore.receipt.problems', { count: receipt.problemCount, problems: count(receipt.problemCount) })}</h2>
          <ul tabIndex={0}>
            {receipt.problems.map(({ path, message }, index) => (
              <li key={index}>
                <span>{shown(path)}</span>
                <span className="secondary" lang="en">
                  {message}
                </span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

function SaveReceipt({ run }: { readonly run: number }) {
  const { t } = useTranslation();
  const save = (format: 'html' | 'text' | 'json'): Promise<boolean> =>
    attempt(async () => {
      const { name, mediaType, text } = await api.restore.receiptFile({ run, format, language: spoken() });
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: mediaType }));
      link.download = name;
      link.click();
      URL.revokeObjectURL(link.href);
      say(t('restore.receipt.saved', { name }));
    });
  return (
    <Menu>
      <Menu.Target>
        <Button rightSection={<ChevronDown size={16} aria-hidden />}>{t('restore.receipt.save')}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(['html', 'text', 'json'] as const).map((format) => (
          <Menu.Item key={format} onClick={() => void save(format)}>
            {t(`restore.receipt.as.${format}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function OpenFolder({ receipt: { target } }: { readonly receipt: RestoreReceipt }) {
  const { t } = useTranslation();
  if (target.kind === 'original') return null;
  return (
    <Button variant="default" onClick={() => desktop?.showInFolder(target.path)}>
      {t(target.kind === 'zip' ? 'restore.receipt.showZip' : 'restore.receipt.open', { folder: shown(above(target.path)) })}
    </Button>
  );
}

/** Asks for the same again: what is there already is not written a second time. */
function Again({ run }: { readonly run: Run }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isBusy, setBusy] = useState(false);
  if (run.kind !== 'restore') return null;
  const start = async (): Promise<void> => {
    setBusy(true);
    await attempt(async () => {
      const next = await api.restore.start(await api.restore.request({ run: run.id }));
      go(`/restore/run/${next.id}`);
    });
    setBusy(false);
  };
  return (
    <Button loading={isBusy} onClick={() => void start()}>
      {t('restore.verify.again')}
    </Button>
  );
}

function Undo({ receipt, undo }: { readonly receipt: RestoreReceipt; readonly undo: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const { value: list } = useAnswer('undo', (signal) => api.restore.undo.list(undefined, { signal }));
  const known = list?.find(({ id }) => id === undo);
  if (!known || (known.state !== 'whole' && known.state !== 'cut-off')) return null;
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        {t('restore.undo.act')}
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        question={t('restore.undo.question')}
        verb={t('restore.undo.act')}
        act={async () => {
          const run = await api.restore.undo.start({ id: undo });
          go(`/restore/run/${run.id}`);
        }}
      >
        {t('restore.undo.consequence', { replaced: count(receipt.replaced), created: count(receipt.created) })}
      </Confirm>
    </>
  );
}

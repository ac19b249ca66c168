import { Button, Checkbox, Group, Radio, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { conflictPolicies } from '../../../src/contract/restore-request.ts';
import { api, desktop } from '../../api.ts';
import { useNow, useSettled } from '../../clock.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { moment } from '../../ui/format.ts';
import { attempt } from '../../ui/messages.ts';
import { Page, Section } from '../../ui/Page.tsx';
import { within } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { FolderPicker } from '../files/FolderPicker.tsx';
import { DryRun } from './DryRun.tsx';
import { Steps } from './Steps.tsx';
import { requestOf, setRestore, type TargetKind, useRestore } from './store.ts';
import { useSnapshots } from './use-snapshots.ts';
import styles from './Where.module.css';

/** The third step: where to, what happens to what is there, and a dry run that says exactly what will happen. */
export function Where() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const now = useNow(60_000);
  const state = useRestore();
  const { scope, snapshot, chosen, target, folder, zip, conflicts, keepUndo } = state;
  const { value } = useSnapshots(scope);
  const current = value?.snapshots.find(({ key }) => key === snapshot);
  const [picking, setPicking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const request = requestOf(state);
  const settled = useSettled(request === undefined ? undefined : JSON.stringify(request), 300);
  const home = useAnswer(target === 'folder' || target === 'zip' ? 'home' : undefined, (signal) =>
    api.files.folder({ foldersOnly: true, limit: 1 }, { signal }),
  );
  const suggestion = home.value === undefined ? '' : within(home.value.path, t('restore.where.folderName'));
  const zipSuggestion = suggestion === '' ? '' : t('restore.where.zipName', { folder: suggestion });
  const chooseTarget = (kind: TargetKind): void => {
    setError(undefined);
    setRestore({ target: kind });
  };
  const start = async (): Promise<void> => {
    if (snapshot === undefined) return;
    setBusy(true);
    setError(undefined);
    try {
      if (target === 'download') {
        const { path, name } = await api.restore.download({ snapshot, items: [...chosen.keys()] });
        const link = document.createElement('a');
        link.href = path;
        link.download = name;
        link.click();
      } else if (request) {
        const run = await api.restore.start(request);
        go(`/restore/run/${run.id}`);
      }
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const isReady = target === 'download' ? chosen.size > 0 : request !== undefined;
  const verb =
    target === 'zip' || target === 'download'
      ? t(`restore.where.act.${target}`, { count: chosen.size })
      : t('restore.where.act.restore', { count: chosen.size });
  return (
    <Page
      place={t('frame.place.restore')}
      title={current ? t('restore.where.title', { count: chosen.size, time: moment(current.time, now) }) : t('restore.steps.where')}
      reason={<Steps at="where" reachable="where" onGo={(step) => setRestore({ step })} />}
      action={
        <>
          <Button variant="default" onClick={() => setRestore({ step: 'version' })}>
            {t('ui.back')}
          </Button>
          <Button disabled={!isReady} loading={isBusy} onClick={() => void start()}>
            {verb}
          </Button>
        </>
      }
    >
      {error === undefined ? null : <ErrorMessage error={error} />}
      <div className={styles.columns}>
        <Radio.Group
          label={t('restore.where.target.label')}
          value={target}
          onChange={(next) => chooseTarget(next as TargetKind)}
          className={styles.group}
        >
          <Radio value="original" label={t('restore.where.target.original')} description={t('restore.where.target.originalText')} />
          <Radio value="folder" label={t('restore.where.target.folder')} description={t('restore.where.target.folderText')} />
          {target === 'folder' ? (
            <Group className={styles.place} gap="xs" align="end">
              <TextInput
                className={styles.path}
                aria-label={t('restore.where.target.path')}
                placeholder={suggestion}
                value={folder}
                spellCheck={false}
                onChange={(event) => setRestore({ folder: event.currentTarget.value })}
              />
              {folder === '' && suggestion !== '' ? (
                <Button variant="default" onClick={() => setRestore({ folder: suggestion })}>
                  {t('restore.where.target.useNew')}
                </Button>
              ) : null}
              <Button
                variant="default"
                onClick={() =>
                  desktop
                    ? void attempt(async () => {
                        const picked = await desktop?.chooseFolder(t('restore.where.target.choose'));
                        if (picked) setRestore({ folder: picked });
                      })
                    : setPicking(true)
                }
              >
                {t('restore.where.target.choose')}
              </Button>
            </Group>
          ) : null}
          <Radio value="zip" label={t('restore.where.target.zip')} description={t('restore.where.target.zipText')} />
          {target === 'zip' ? (
            <Group className={styles.place} gap="xs">
              <TextInput
                className={styles.path}
                aria-label={t('restore.where.target.zipPath')}
                placeholder={zipSuggestion}
                value={zip}
                spellCheck={false}
                onChange={(event) => setRestore({ zip: event.currentTarget.value })}
              />
              {zip === '' && zipSuggestion !== '' ? (
                <Button variant="default" onClick={() => setRestore({ zip: zipSuggestion })}>
                  {t('restore.where.target.useNew')}
                </Button>
              ) : null}
            </Group>
          ) : null}
          {desktop ? null : (
            <Radio value="download" label={t('restore.where.target.download')} description={t('restore.where.target.downloadText')} />
          )}
        </Radio.Group>
        {target === 'original' || target === 'folder' ? (
          <div>
            <Radio.Group
              label={t('restore.where.conflicts.label')}
              value={conflicts}
              onChange={(next) => setRestore({ conflicts: next as typeof conflicts })}
              className={styles.group}
            >
              {conflictPolicies.map((policy) => (
                <Radio
                  key={policy}
                  value={policy}
                  label={t(`restore.where.conflicts.${policy}.label`)}
                  description={t(`restore.where.conflicts.${policy}.text`)}
                />
              ))}
            </Radio.Group>
            <Checkbox
              checked={keepUndo}
              onChange={(event) => setRestore({ keepUndo: event.currentTarget.checked })}
              label={t('restore.where.keepUndo')}
              description={t('restore.where.keepUndoText')}
            />
          </div>
        ) : null}
      </div>
      {target === 'download' || settled === undefined ? null : (
        <Section title={t('restore.dry.title')}>
          <DryRun request={settled} />
        </Section>
      )}
      <FolderPicker
        isOpen={picking}
        title={t('restore.where.target.choose')}
        {...(folder === '' ? {} : { path: folder })}
        onClose={() => setPicking(false)}
        onChoose={(path) => setRestore({ folder: path })}
      />
    </Page>
  );
}

import { Button, UnstyledButton } from '@mantine/core';
import { Archive, Download, File, FolderClosed, FolderPlus, House, Image, type LucideIcon, Monitor, Music, Video } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { SuggestedFolder } from '../../../src/contract/files.ts';
import { api, desktop } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { folderName } from '../../ui/format.ts';
import { FolderPicker } from '../files/FolderPicker.tsx';
import { Choice } from './Choice.tsx';
import { sizeText } from './sizes.ts';
import { StepFrame } from './StepFrame.tsx';
import { type Candidate, change, totalOf, useFirstRun } from './store.ts';
import styles from './steps.module.css';

const icons: Readonly<Record<SuggestedFolder['kind'], LucideIcon>> = {
  home: House,
  documents: File,
  pictures: Image,
  desktop: Monitor,
  downloads: Download,
  music: Music,
  videos: Video,
};

/** The first step: which folders. Those that most people would miss are chosen already; sizes come in while one looks. */
export function What() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { candidates, chosen, sizes } = useFirstRun();
  const [error, setError] = useState<unknown>();
  const [isPicking, setPicking] = useState(false);
  useEffect(() => {
    if (useFirstRun.getState().candidates === undefined) void suggest().catch(setError);
  }, []);
  const total = totalOf({ chosen, sizes });
  const addFolder = (path: string): void => {
    setPicking(false);
    const known = useFirstRun.getState();
    const isNew = known.candidates?.every((each) => each.path !== path) ?? true;
    change({
      candidates: isNew ? [...(known.candidates ?? []), { path, kind: undefined, isReadable: true }] : (known.candidates ?? []),
      chosen: new Set([...known.chosen, path]),
    });
  };
  const pick = async (): Promise<void> => {
    if (!desktop) return setPicking(true);
    for (const path of await desktop.chooseFolders(t('firstRun.what.add'))) addFolder(path);
  };
  return (
    <StepFrame
      title={t('firstRun.what.title')}
      text={t('firstRun.what.text')}
      summary={chosen.size === 0 ? t('firstRun.what.none') : t('firstRun.what.sum', { count: chosen.size, size: sizeText(total) })}
      verb={t('ui.continue')}
      isReady={chosen.size > 0}
      onContinue={() => change({ step: 'where' })}
    >
      {error === undefined ? null : <ErrorMessage error={error} />}
      {candidates === undefined ? (
        error === undefined ? (
          <Bones rows={4} height={72} />
        ) : null
      ) : (
        <ul className={styles.choices}>
          {candidates.map((candidate) => (
            <li key={candidate.path}>
              <FolderChoice candidate={candidate} />
            </li>
          ))}
        </ul>
      )}
      <div className={styles.after}>
        <Button variant="default" leftSection={<FolderPlus size={16} aria-hidden />} onClick={() => void pick()}>
          {t('firstRun.what.add')}
        </Button>
        <UnstyledButton className={styles.door} onClick={() => go('/welcome/recover')}>
          <Archive size={16} aria-hidden />
          {t('firstRun.what.door')}
        </UnstyledButton>
      </div>
      <FolderPicker isOpen={isPicking} title={t('firstRun.what.add')} onClose={() => setPicking(false)} onChoose={addFolder} />
    </StepFrame>
  );
}

function FolderChoice({ candidate: { path, kind, isReadable } }: { readonly candidate: Candidate }) {
  const { t } = useTranslation();
  const isChosen = useFirstRun(({ chosen }) => chosen.has(path));
  const size = useFirstRun(({ sizes }) => sizes.get(path));
  return (
    <Choice
      type="checkbox"
      name="folders"
      icon={kind ? icons[kind] : FolderClosed}
      title={kind ? t(`firstRun.folder.${kind}`) : folderName(path)}
      text={isReadable ? path : t('firstRun.what.closed', { path })}
      aside={isReadable ? (size ? sizeText(size) : '…') : null}
      isChecked={isChosen}
      isDisabled={!isReadable}
      onChange={(isNow) => {
        const next = new Set(useFirstRun.getState().chosen);
        if (isNow) next.add(path);
        else next.delete(path);
        change({ chosen: next });
      }}
    />
  );
}

async function suggest(): Promise<void> {
  const suggested = (await api.files.suggested()).filter(({ exists }) => exists);
  const wanted = suggested.filter(({ isSuggested, isReadable }) => isSuggested && isReadable);
  // The whole home folder holds the others: it is there to be chosen instead, at the end.
  const ordered = [...suggested.filter(({ kind }) => kind !== 'home'), ...suggested.filter(({ kind }) => kind === 'home')];
  const home = suggested.find(({ kind }) => kind === 'home');
  change({
    // Where a folder of this computer is chosen as the place, this one is proposed.
    folder: home ? `${home.path}${home.path.includes('\\') ? '\\' : '/'}Holdfast` : '',
    candidates: ordered.map(({ path, kind, isReadable }) => ({ path, kind, isReadable })),
    chosen: new Set(wanted.map(({ path }) => path)),
  });
}

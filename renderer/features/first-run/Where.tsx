import { Button, TextInput } from '@mantine/core';
import { Cloud, HardDrive, Laptop, TriangleAlert, Usb } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MountedDrive } from '../../../src/contract/drive.ts';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { api } from '../../api.ts';
import { after } from '../../clock.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes } from '../../ui/format.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { missingFields } from '../connect/kinds.ts';
import { PlaceForm } from '../connect/PlaceForm.tsx';
import { FolderPicker } from '../files/FolderPicker.tsx';
import { Choice } from './Choice.tsx';
import { driveName, usableDrives, wantedPlace } from './destinations.ts';
import { sizeText } from './sizes.ts';
import { StepFrame } from './StepFrame.tsx';
import { change, totalOf, useFirstRun } from './store.ts';
import styles from './steps.module.css';

/** Drives come and go while the person looks for one. */
const lookAgainMs = 3000;

/** The second step: a drive, a server or cloud, or this computer. */
export function Where() {
  const { t } = useTranslation();
  const { where, folder, serverKind, answers, chosen, sizes } = useFirstRun();
  const drives = useDrives();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [missing, setMissing] = useState<readonly string[]>([]);
  const [isPicking, setPicking] = useState(false);
  const total = totalOf({ chosen, sizes });

  const proceed = async (): Promise<void> => {
    setError(undefined);
    const lacking = where?.kind === 'server' ? missingFields(serverKind, answers) : [];
    setMissing(lacking);
    if (lacking.length > 0) return;
    setBusy(true);
    try {
      const place = wantedPlace(useFirstRun.getState(), drives.value ?? []);
      const report = await api.connections.test({ place: place.place, credentials: place.credentials, create: true });
      if (report.error) return setError(report.error);
      if (report.verdict === 'ready') throw new HoldfastError('repository-exists', { location: report.location });
      change({ place, step: 'protect' });
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };

  return (
    <StepFrame
      title={t('firstRun.where.title')}
      text={t('firstRun.where.text', { size: sizeText(total) })}
      verb={t('ui.continue')}
      isReady={where !== undefined && (where.kind !== 'computer' || folder !== '')}
      isBusy={isBusy}
      summary={isBusy ? t('firstRun.where.testing') : null}
      onBack={() => change({ step: 'what' })}
      onContinue={() => void proceed()}
    >
      <fieldset className={styles.choices}>
        <legend className="unseen">{t('firstRun.where.title')}</legend>
        {drives.value === undefined ? (
          drives.error === undefined ? (
            <Bones rows={2} height={72} />
          ) : (
            <ErrorMessage error={drives.error} isUrgent={false} />
          )
        ) : (
          <Drives drives={drives.value} needed={total.bytes} />
        )}
        <Choice
          type="radio"
          name="where"
          icon={Cloud}
          title={t('firstRun.where.server')}
          text={t('firstRun.where.serverText')}
          isChecked={where?.kind === 'server'}
          onChange={() => change({ where: { kind: 'server' } })}
        >
          <PlaceForm
            kind={serverKind}
            answers={answers}
            missing={missing}
            onChange={(kind, now) => {
              setMissing([]);
              change({ serverKind: kind, answers: now });
            }}
          />
        </Choice>
        <Choice
          type="radio"
          name="where"
          icon={Laptop}
          title={t('firstRun.where.computer')}
          text={t('firstRun.where.computerText')}
          isChecked={where?.kind === 'computer'}
          onChange={() => change({ where: { kind: 'computer' } })}
        >
          <p className={styles.remark}>
            <TriangleAlert size={14} aria-hidden />
            {t('firstRun.where.computerRemark')}
          </p>
          <div className={styles.folder}>
            <TextInput
              label={t('firstRun.where.folder')}
              value={folder}
              spellCheck={false}
              onChange={({ currentTarget }) => change({ folder: currentTarget.value })}
            />
            <Button variant="default" onClick={() => setPicking(true)}>
              {t('firstRun.where.choose')}
            </Button>
          </div>
        </Choice>
      </fieldset>
      {error === undefined ? null : (
        <div className={styles.error}>
          <ErrorMessage error={error} />
        </div>
      )}
      <FolderPicker
        isOpen={isPicking}
        title={t('firstRun.where.choose')}
        onClose={() => setPicking(false)}
        onChoose={(path) => change({ folder: path })}
      />
    </StepFrame>
  );
}

function Drives({ drives, needed }: { readonly drives: readonly MountedDrive[]; readonly needed: number }) {
  const { t } = useTranslation();
  const where = useFirstRun((state) => state.where);
  const best = drives.find(({ isRemovable }) => isRemovable);
  // A sensible choice is made already; with no drive at all the person chooses.
  useEffect(() => {
    if (best && useFirstRun.getState().where === undefined) change({ where: { kind: 'drive', mountPoint: best.mountPoint } });
  }, [best]);
  if (drives.length === 0) return <p className="secondary">{t('firstRun.where.noDrive')}</p>;
  return drives.map((drive) => {
    const free = drive.space?.freeBytes;
    const isSmall = free !== undefined && free < needed;
    return (
      <Choice
        key={drive.mountPoint}
        type="radio"
        name="where"
        icon={drive.isRemovable ? Usb : HardDrive}
        title={driveName(drive)}
        text={isSmall ? t('firstRun.where.tooSmall', { path: drive.mountPoint }) : drive.mountPoint}
        aside={free === undefined ? null : t('firstRun.where.free', { size: bytes(free) })}
        tag={drive === best ? t('firstRun.where.recommended') : undefined}
        isChecked={where?.kind === 'drive' && where.mountPoint === drive.mountPoint}
        onChange={() => change({ where: { kind: 'drive', mountPoint: drive.mountPoint } })}
      />
    );
  });
}

/** The drives that could be used, as they are plugged in. */
function useDrives(): ReturnType<typeof useAnswer<MountedDrive[]>> {
  const answer = useAnswer('drives', async (signal) => usableDrives(await api.drives.list(undefined, { signal })));
  const { again, isWaiting } = answer;
  useEffect(() => (isWaiting ? undefined : after(lookAgainMs, again)), [isWaiting, again]);
  return answer;
}

import { Button, FileButton, PasswordInput, TextInput } from '@mantine/core';
import { Cloud, FileKey, FolderClosed, HardDrive, UserRound } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { FoundRepository } from '../../../src/contract/connections.ts';
import { HoldfastError } from '../../../src/contract/errors.ts';
import type { RecoveryKit } from '../../../src/contract/kit.ts';
import { api } from '../../api.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { exact, list, sentences } from '../../ui/format.ts';
import { within } from '../../ui/path-words.ts';
import { type Answers, answersOf, credentialsOf, missingFields, nameOf, placeOf, type ServerKind } from '../connect/kinds.ts';
import { PlaceForm } from '../connect/PlaceForm.tsx';
import { FolderPicker } from '../files/FolderPicker.tsx';
import { readKit } from '../kit/read.ts';
import { Choice } from './Choice.tsx';
import { endFirstRun } from './leave.ts';
import { StepFrame } from './StepFrame.tsx';
import styles from './steps.module.css';

type Place = { readonly place: string; readonly credentials: Record<string, string>; readonly name?: string };
interface Opened extends Place {
  readonly password: string;
  readonly found: FoundRepository;
}

/** The other door: connect to a backup that is there, take its settings back, restore. */
export function Recover() {
  const [opened, setOpened] = useState<Opened>();
  const [done, setDone] = useState<{ readonly plans: number; readonly wanting: readonly string[] }>();
  if (done) return <Done {...done} />;
  return opened ? <Whose opened={opened} onBack={() => setOpened(undefined)} onDone={setDone} /> : <Find onFound={setOpened} />;
}

/** Where it is, and its password. */
function Find({ onFound }: { readonly onFound: (opened: Opened) => void }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isServer, setServer] = useState(false);
  const [folder, setFolder] = useState('');
  const [server, setServerAnswers] = useState<{ kind: ServerKind; answers: Answers }>({ kind: 'sftp', answers: {} });
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState<readonly string[]>([]);
  const [isPicking, setPicking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const look = async (): Promise<void> => {
    setError(undefined);
    const lacking = isServer ? missingFields(server.kind, server.answers) : [];
    setMissing(lacking);
    if (lacking.length > 0) return;
    setBusy(true);
    try {
      const place: Place = isServer
        ? {
            place: placeOf(server.kind, server.answers),
            credentials: credentialsOf(server.kind, server.answers),
            name: nameOf(server.kind, server.answers),
          }
        : { place: folder.trim(), credentials: {} };
      const found = await api.connections.look({ place: place.place, credentials: place.credentials, password });
      onFound({ ...place, password, found });
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const fillIn = async (file: File | null): Promise<void> => {
    if (!file) return;
    setError(undefined);
    const kit = readKit(await file.text());
    if (!kit) return setError(new HoldfastError('bad-usage', { problem: t('firstRun.recover.noKit', { name: file.name }) }));
    const found = answersOf(kit.place);
    setServer(found !== undefined);
    if (found) setServerAnswers(found);
    else setFolder((await placeOnDrive(kit)) ?? kit.place);
    setPassword(kit.password ?? '');
  };
  return (
    <StepFrame
      title={t('firstRun.recover.title')}
      text={t('firstRun.recover.text')}
      verb={t('firstRun.recover.look')}
      summary={isBusy ? t('firstRun.recover.looking') : null}
      isReady={password !== '' && (isServer || folder.trim() !== '')}
      isBusy={isBusy}
      onBack={() => go('/welcome')}
      onContinue={() => void look()}
    >
      <p>
        <FileButton accept="text/html,.html" onChange={(file) => void fillIn(file)}>
          {(props) => (
            <Button variant="default" leftSection={<FileKey size={16} aria-hidden />} {...props}>
              {t('firstRun.recover.fromKit')}
            </Button>
          )}
        </FileButton>
      </p>
      <fieldset className={styles.choices}>
        <legend className="unseen">{t('firstRun.recover.title')}</legend>
        <Choice
          type="radio"
          name="kind"
          icon={HardDrive}
          title={t('firstRun.recover.folder')}
          text={t('firstRun.recover.folderText')}
          isChecked={!isServer}
          onChange={() => setServer(false)}
        >
          <div className={styles.folder}>
            <TextInput
              label={t('firstRun.recover.folderLabel')}
              value={folder}
              spellCheck={false}
              onChange={({ currentTarget }) => setFolder(currentTarget.value)}
            />
            <Button variant="default" onClick={() => setPicking(true)}>
              {t('firstRun.where.choose')}
            </Button>
          </div>
        </Choice>
        <Choice
          type="radio"
          name="kind"
          icon={Cloud}
          title={t('firstRun.where.server')}
          text={t('firstRun.where.serverText')}
          isChecked={isServer}
          onChange={() => setServer(true)}
        >
          <PlaceForm {...server} missing={missing} onChange={(kind, answers) => setServerAnswers({ kind, answers })} />
        </Choice>
      </fieldset>
      <div className={styles.group}>
        <PasswordInput
          label={t('firstRun.recover.password')}
          size="md"
          autoComplete="off"
          value={password}
          onChange={({ currentTarget }) => setPassword(currentTarget.value)}
        />
      </div>
      {error === undefined ? null : (
        <div className={styles.error}>
          <ErrorMessage error={error} />
        </div>
      )}
      <FolderPicker isOpen={isPicking} title={t('firstRun.where.choose')} onClose={() => setPicking(false)} onChoose={setFolder} />
    </StepFrame>
  );
}

/** A drive is at another place on another computer: it is known by its volume. Undefined for no drive, or one that is not plugged in. */
async function placeOnDrive({ volume }: RecoveryKit): Promise<string | undefined> {
  if (!volume) return undefined;
  const drive = (await api.drives.list()).find(({ uuid, root }) => uuid === volume.uuid && root === '/');
  return drive && (volume.pathWithin === '' ? drive.mountPoint : within(drive.mountPoint, volume.pathWithin));
}

interface WhoseProps {
  readonly opened: Opened;
  readonly onBack: () => void;
  readonly onDone: (done: { plans: number; wanting: readonly string[] }) => void;
}

/** Whose settings come to this computer, if any. */
function Whose({ opened: { place, credentials, name, password, found }, onBack, onDone }: WhoseProps) {
  const { t } = useTranslation();
  const [snapshot, setSnapshot] = useState<string | undefined>(found.settings[0]?.snapshot);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const connect = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const destination = await api.destinations.connect({ place, credentials, password, ...(name === undefined ? {} : { name }) });
      if (snapshot === undefined) return onDone({ plans: 0, wanting: [] });
      const taken = await api.recovery.take({ destination: destination.id, snapshot });
      onDone({ plans: taken.plans.length, wanting: taken.destinations.filter(({ id }) => id !== destination.id).map((each) => each.name) });
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <StepFrame
      title={t('firstRun.recover.found')}
      text={t('firstRun.recover.foundText', { count: found.snapshots })}
      verb={t('firstRun.recover.connect')}
      isReady
      isBusy={isBusy}
      onBack={onBack}
      onContinue={() => void connect()}
    >
      <fieldset className={styles.choices}>
        <legend className="unseen">{t('firstRun.recover.found')}</legend>
        {found.settings.map((each) => (
          <Choice
            key={each.snapshot}
            type="radio"
            name="settings"
            icon={UserRound}
            title={t('firstRun.recover.settings', { username: each.username, hostname: each.hostname })}
            text={t('firstRun.recover.settingsText', { time: exact(each.savedAt), plans: list(each.plans) })}
            isChecked={snapshot === each.snapshot}
            onChange={() => setSnapshot(each.snapshot)}
          />
        ))}
        <Choice
          type="radio"
          name="settings"
          icon={FolderClosed}
          title={t('firstRun.recover.onlyFiles')}
          text={t('firstRun.recover.onlyFilesText')}
          isChecked={snapshot === undefined}
          onChange={() => setSnapshot(undefined)}
        />
      </fieldset>
      {error === undefined ? null : (
        <div className={styles.error}>
          <ErrorMessage error={error} />
        </div>
      )}
    </StepFrame>
  );
}

function Done({ plans, wanting }: { readonly plans: number; readonly wanting: readonly string[] }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const leave = (path: string): void => {
    endFirstRun();
    go(path);
  };
  return (
    <StepFrame
      title={t('firstRun.recover.connected')}
      text={sentences([
        plans > 0 ? t('firstRun.recover.tookPlans', { count: plans }) : '',
        wanting.length > 0 ? t('firstRun.recover.wantSecrets', { count: wanting.length, names: list(wanting) }) : '',
      ])}
      verb={t('firstRun.recover.restore')}
      isReady
      onContinue={() => leave('/restore')}
    >
      <Button variant="default" onClick={() => leave('/')}>
        {t('firstRun.recover.home')}
      </Button>
    </StepFrame>
  );
}

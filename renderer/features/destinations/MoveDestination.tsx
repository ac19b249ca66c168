import { Button, Checkbox, SegmentedControl, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { api } from '../../api.ts';
import { FormDialog } from '../../ui/FormDialog.tsx';
import { say } from '../../ui/messages.ts';
import { type Answers, credentialsOf, missingFields, placeOf, type ServerKind } from '../connect/kinds.ts';
import { PlaceForm } from '../connect/PlaceForm.tsx';
import { FolderPicker } from '../files/FolderPicker.tsx';

/** Brings a destination's repository to another place; the run shows how far it is. */
export function MoveDestination({ destination: { id, name } }: { readonly destination: DestinationView }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const [isPicking, setPicking] = useState(false);
  const [kind, setKind] = useState<'folder' | 'server'>('folder');
  const [folder, setFolder] = useState('');
  const [server, setServer] = useState<{ kind: ServerKind; answers: Answers }>({ kind: 'sftp', answers: {} });
  const [removeOld, setRemoveOld] = useState(false);
  const isServer = kind === 'server';
  const isReady = isServer ? missingFields(server.kind, server.answers).length === 0 : folder.trim() !== '';
  const begin = async (): Promise<void> => {
    const where = isServer
      ? { place: placeOf(server.kind, server.answers), credentials: credentialsOf(server.kind, server.answers) }
      : { place: folder.trim() };
    const run = await api.moves.destination({ destination: id, ...where, removeOld });
    say(t('capacity.move.begun', { name }));
    go(`/history/run/${run.id}`);
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        {t('capacity.move.act')}
      </Button>
      <FormDialog
        isOpen={isOpen && !isPicking}
        onClose={() => setOpen(false)}
        title={t('capacity.move.title', { name })}
        verb={t('capacity.move.verb')}
        isReady={isReady}
        act={begin}
      >
        <p className="secondary">{t('capacity.move.text')}</p>
        <SegmentedControl
          mt="md"
          aria-label={t('capacity.move.kind')}
          data={(['folder', 'server'] as const).map((value) => ({ value, label: t(`capacity.move.${value}`) }))}
          value={kind}
          onChange={(next) => setKind(next as 'folder' | 'server')}
        />
        {isServer ? (
          <PlaceForm kind={server.kind} answers={server.answers} onChange={(nextKind, answers) => setServer({ kind: nextKind, answers })} />
        ) : (
          <>
            <TextInput
              mt="md"
              label={t('capacity.move.path')}
              description={t('capacity.move.pathText')}
              value={folder}
              spellCheck={false}
              onChange={(event) => setFolder(event.currentTarget.value)}
            />
            <Button mt="xs" variant="default" size="compact-sm" onClick={() => setPicking(true)}>
              {t('capacity.move.choose')}
            </Button>
          </>
        )}
        <Checkbox
          mt="md"
          label={t('capacity.move.removeOld')}
          description={t('capacity.move.removeOldText')}
          checked={removeOld}
          onChange={(event) => setRemoveOld(event.currentTarget.checked)}
        />
      </FormDialog>
      <FolderPicker isOpen={isPicking} title={t('capacity.move.choose')} onClose={() => setPicking(false)} onChoose={setFolder} />
    </>
  );
}

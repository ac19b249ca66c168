import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { api } from '../../api.ts';
import { FormDialog } from '../../ui/FormDialog.tsx';
import { say } from '../../ui/messages.ts';

/** A password that was lost from the keychain, or another place to which the repository was moved; tried before it is kept. */
export function Renew({ destination }: { readonly destination: DestinationView }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const [password, setPassword] = useState('');
  const [place, setPlace] = useState('');
  const close = (): void => {
    setPassword('');
    setOpen(false);
  };
  return (
    <>
      <Button
        variant="default"
        onClick={() => {
          setPlace(destination.place);
          setOpen(true);
        }}
      >
        {t('destinations.renew.act')}
      </Button>
      <FormDialog
        isOpen={isOpen}
        onClose={close}
        title={t('destinations.renew.title', { name: destination.name })}
        verb={t('destinations.renew.verb')}
        isReady={password !== '' || (place.trim() !== '' && place.trim() !== destination.place)}
        act={async () => {
          await api.destinations.renew({
            id: destination.id,
            ...(password === '' ? {} : { password }),
            ...(place.trim() === destination.place ? {} : { place: place.trim() }),
          });
          say(t('destinations.renew.done', { name: destination.name }));
        }}
      >
        <PasswordInput
          label={t('destinations.renew.password')}
          description={t('destinations.renew.passwordText')}
          value={password}
          autoComplete="off"
          onChange={(event) => setPassword(event.currentTarget.value)}
          data-autofocus
        />
        <TextInput
          mt="md"
          label={t('destinations.renew.place')}
          description={t('destinations.renew.placeText')}
          value={place}
          spellCheck={false}
          onChange={(event) => setPlace(event.currentTarget.value)}
        />
      </FormDialog>
    </>
  );
}

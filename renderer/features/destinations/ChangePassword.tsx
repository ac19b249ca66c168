import { Button, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { api } from '../../api.ts';
import { useSettled } from '../../clock.ts';
import { FormDialog } from '../../ui/FormDialog.tsx';
import { say } from '../../ui/messages.ts';
import { useAnswer } from '../../ui/use-answer.ts';

/** Another password for the repository; the old one stops opening it. */
export function ChangePassword({ destination }: { readonly destination: DestinationView }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const settled = useSettled(next, 250);
  const { value: strength } = useAnswer(settled === '' ? undefined : settled, (signal) =>
    api.passwords.strength({ password: settled, personal: [destination.name] }, { signal }),
  );
  const close = (): void => {
    setOld('');
    setNext('');
    setAgain('');
    setOpen(false);
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        {t('destinations.password.act')}
      </Button>
      <FormDialog
        isOpen={isOpen}
        onClose={close}
        title={t('destinations.password.title', { name: destination.name })}
        verb={t('destinations.password.act')}
        isReady={old !== '' && next !== '' && next === again}
        act={async () => {
          const { isOldGone } = await api.passwords.change({ destination: destination.id, old, new: next });
          say(t(isOldGone ? 'destinations.password.done' : 'destinations.password.oldStays'));
        }}
      >
        <p className="secondary">{t('destinations.password.text')}</p>
        <PasswordInput
          mt="md"
          label={t('destinations.password.old')}
          value={old}
          autoComplete="off"
          onChange={(event) => setOld(event.currentTarget.value)}
          data-autofocus
        />
        <PasswordInput
          mt="md"
          label={t('destinations.password.new')}
          description={settled === '' || !strength ? '\u00a0' : t(`destinations.password.strength.${strength.score as 0 | 1 | 2 | 3 | 4}`)}
          value={next}
          autoComplete="new-password"
          onChange={(event) => setNext(event.currentTarget.value)}
        />
        <PasswordInput
          mt="md"
          label={t('destinations.password.again')}
          error={again !== '' && again !== next ? t('destinations.password.different') : undefined}
          value={again}
          autoComplete="new-password"
          onChange={(event) => setAgain(event.currentTarget.value)}
        />
      </FormDialog>
    </>
  );
}

import { Button, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useState } from 'react';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { api } from '../../api.ts';
import { FormDialog } from '../../ui/FormDialog.tsx';

export function Rename({ destination }: { readonly destination: DestinationView }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState(destination.name);
  return (
    <>
      <Button
        variant="default"
        onClick={() => {
          setName(destination.name);
          setOpen(true);
        }}
      >
        {t('destinations.rename.act')}
      </Button>
      <FormDialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={t('destinations.rename.title')}
        verb={t('destinations.rename.act')}
        isReady={name.trim() !== ''}
        act={() => api.destinations.rename({ id: destination.id, name: name.trim() })}
      >
        <TextInput
          label={t('destinations.rename.name')}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
      </FormDialog>
    </>
  );
}

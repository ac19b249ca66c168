import { Button, Group, Modal } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorMessage } from './ErrorMessage.tsx';

interface FormDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly verb: string;
  /** Whether what is typed can be sent. */
  readonly isReady: boolean;
  /** The dialog stays open, with the reason, when it throws. */
  readonly act: () => Promise<unknown>;
  readonly children: React.ReactNode;
}

/** A small form in a dialog; Enter sends it. */
export function FormDialog({ isOpen, onClose, title, verb, isReady, act, children }: FormDialogProps) {
  const { t } = useTranslation();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const close = (): void => {
    if (isBusy) return;
    setError(undefined);
    onClose();
  };
  const send = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await act();
      onClose();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={isOpen} onClose={close} title={title} closeButtonProps={{ 'aria-label': t('ui.close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !isBusy) void send();
        }}
      >
        {children}
        {error === undefined ? null : <ErrorMessage error={error} />}
        <Group justify="flex-end" gap="xs" mt="lg">
          <Button variant="default" onClick={close} disabled={isBusy}>
            {t('ui.cancel')}
          </Button>
          <Button type="submit" disabled={!isReady} loading={isBusy}>
            {verb}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

import { Button, Group, Modal } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorMessage } from './ErrorMessage.tsx';
import styles from './Confirm.module.css';

interface ConfirmProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** The question, which names the consequence: "Delete 14 snapshots older than March?" */
  readonly question: string;
  /** What follows, and whether it can be undone. */
  readonly children: React.ReactNode;
  /** The verb: "Delete 14 snapshots". */
  readonly verb: string;
  /** Whether something is lost by it. */
  readonly isDestructive?: boolean;
  /** The dialog stays open, with the reason, when it throws. */
  readonly act: () => Promise<unknown>;
}

/** Asks before something that cannot simply be taken back. The focus begins on the way out. */
export function Confirm({ isOpen, onClose, question, children, verb, isDestructive = false, act }: ConfirmProps) {
  const { t } = useTranslation();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const close = (): void => {
    if (isBusy) return;
    setError(undefined);
    onClose();
  };
  const confirm = async (): Promise<void> => {
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
    <Modal opened={isOpen} onClose={close} title={question} closeButtonProps={{ 'aria-label': t('ui.close') }}>
      <div className={styles.text}>{children}</div>
      {error === undefined ? null : <ErrorMessage error={error} />}
      <Group justify="flex-end" gap="xs" mt="lg">
        <Button variant="default" onClick={close} data-autofocus disabled={isBusy}>
          {t('ui.cancel')}
        </Button>
        <Button color={isDestructive ? 'red' : 'teal'} onClick={() => void confirm()} loading={isBusy}>
          {verb}
        </Button>
      </Group>
    </Modal>
  );
}

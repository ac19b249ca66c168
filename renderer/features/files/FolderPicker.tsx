import { Button, Group, Modal, TextInput, UnstyledButton } from '@mantine/core';
import { CornerLeftUp, Folder, FolderLock } from 'lucide-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api.ts';
import { useSettled } from '../../clock.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { shown } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import styles from './FolderPicker.module.css';

interface FolderPickerProps {
  readonly isOpen: boolean;
  readonly title: string;
  /** Where it begins; the person's home when left out. */
  readonly path?: string;
  readonly onClose: () => void;
  readonly onChoose: (path: string) => void;
}

/** Chooses a folder of the computer on which the service runs, which need not be the one that shows this page. */
export function FolderPicker({ isOpen, onClose, title, ...rest }: FolderPickerProps) {
  const { t } = useTranslation();
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} size="lg" closeButtonProps={{ 'aria-label': t('ui.close') }}>
      <Folders {...rest} onClose={onClose} />
    </Modal>
  );
}

function Folders({ path: first, onClose, onChoose }: Pick<FolderPickerProps, 'path' | 'onClose' | 'onChoose'>) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(first ?? '');
  /** Whoever opens folders by the keyboard stays at the list, which is another one for each. */
  const isAtList = useRef(false);
  const asked = useSettled(typed, 250);
  const isPath = asked === '' || /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(asked);
  const where = useAnswer(isPath ? asked : undefined, (signal) =>
    api.files.folder({ ...(asked === '' ? {} : { path: asked }), foldersOnly: true, limit: 1 }, { signal }),
  );
  const at = where.value?.path;
  const pages = usePages(at, async (cursor, signal) => {
    const { entries, next } = await api.files.folder(
      { ...(at === undefined ? {} : { path: at }), foldersOnly: true, limit: 500, ...(cursor === undefined ? {} : { cursor }) },
      { signal },
    );
    return { rows: entries, next };
  });
  const error = where.error ?? pages.error;
  return (
    <>
      <TextInput
        label={t('files.picker.path')}
        value={typed === '' && at !== undefined ? at : typed}
        onChange={(event) => {
          isAtList.current = false;
          setTyped(event.currentTarget.value);
        }}
        spellCheck={false}
        data-autofocus
      />
      <div className={styles.list}>
        {error === undefined ? null : <ErrorMessage error={error} isUrgent={false} />}
        {pages.isWaiting && pages.rows.length === 0 && error === undefined ? <Bones rows={6} height={40} /> : null}
        {error === undefined && at !== undefined ? (
          <>
            <UnstyledButton
              className={styles.up}
              disabled={where.value?.parent === null}
              onClick={() => where.value?.parent && setTyped(where.value.parent)}
            >
              <CornerLeftUp size={16} aria-hidden />
              {t('files.picker.up')}
            </UnstyledButton>
            <div className={styles.folders}>
              {pages.rows.length === 0 && !pages.isWaiting ? <p className={styles.none}>{t('files.picker.none')}</p> : null}
              {pages.rows.length > 0 ? (
                <VirtualList
                  key={at}
                  label={t('files.picker.folders')}
                  count={pages.rows.length}
                  rowHeight={36}
                  onRange={pages.onRange}
                  takesFocus={isAtList.current}
                  onOpen={(index) => {
                    const entry = pages.rows[index];
                    if (!entry?.isReadable) return;
                    isAtList.current = true;
                    setTyped(entry.path);
                  }}
                  onBack={() => {
                    if (!where.value?.parent) return;
                    isAtList.current = true;
                    setTyped(where.value.parent);
                  }}
                  row={(index) => {
                    const entry = pages.rows[index];
                    if (!entry) return null;
                    const Icon = entry.isReadable ? Folder : FolderLock;
                    return (
                      <div className={styles.row} data-closed={!entry.isReadable || undefined}>
                        <Icon size={16} aria-hidden />
                        <span>{shown(entry.name)}</span>
                        {entry.isReadable ? null : <span className="secondary">{t('files.picker.closed')}</span>}
                      </div>
                    );
                  }}
                />
              ) : null}
            </div>
          </>
        ) : null}
      </div>
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="default" onClick={onClose}>
          {t('ui.cancel')}
        </Button>
        <Button
          disabled={at === undefined || error !== undefined}
          onClick={() => {
            if (at === undefined) return;
            onChoose(at);
            onClose();
          }}
        >
          {t('files.picker.choose')}
        </Button>
      </Group>
    </>
  );
}

import { Button } from '@mantine/core';
import { CornerLeftUp, File, Folder, FolderLock } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { shown } from '../../ui/path-words.ts';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import styles from './View.module.css';

/** The folders and files of the computer on which the service runs. Opening a folder chooses it, too. */
export function Browser({ onChoose }: { readonly onChoose: (path: string) => void }) {
  const { t } = useTranslation();
  const [folder, setFolder] = useState<string>();
  const { rows, page, error, isWaiting, onRange } = usePages(folder ?? '', async (cursor, signal) => {
    const asked = {
      limit: 500,
      hidden: true,
      ...(folder === undefined ? {} : { path: folder }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const { entries, next, path, parent } = await api.files.folder(asked, { signal });
    return { rows: entries, next, path, parent };
  });
  const go = (path: string): void => {
    setFolder(path);
    onChoose(path);
  };
  return (
    <>
      {error === undefined ? null : <ErrorMessage error={error} isUrgent={false} />}
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<CornerLeftUp size={16} aria-hidden />}
        disabled={!page || page.parent === null}
        onClick={() => page && page.parent !== null && go(page.parent)}
      >
        {t('files.picker.up')}
      </Button>
      <span className="secondary">{page ? shown(page.path) : ''}</span>
      {isWaiting && rows.length === 0 ? <Bones rows={6} height={40} /> : null}
      {rows.length > 0 ? (
        <div className={styles.list}>
          <VirtualList
            label={t('protected.choose')}
            count={rows.length}
            rowHeight={36}
            onRange={onRange}
            onOpen={(index) => {
              const entry = rows[index];
              if (entry?.kind === 'folder' && entry.isReadable) go(entry.path);
              else if (entry) onChoose(entry.path);
            }}
            row={(index) => {
              const entry = rows[index];
              if (!entry) return null;
              const Icon = entry.kind === 'folder' ? (entry.isReadable ? Folder : FolderLock) : File;
              return (
                <div className={styles.row}>
                  <Icon size={16} aria-hidden />
                  <span>{shown(entry.name)}</span>
                </div>
              );
            }}
          />
        </div>
      ) : null}
    </>
  );
}

import { Button, CloseButton } from '@mantine/core';
import { Folder } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FolderSize } from '../../../src/contract/files.ts';
import { api, desktop } from '../../api.ts';
import { bytes, count } from '../../ui/format.ts';
import { attempt } from '../../ui/messages.ts';
import { shown } from '../../ui/path-words.ts';
import { FolderPicker } from '../files/FolderPicker.tsx';
import type { Draft } from './draft.ts';
import styles from './PlanForm.module.css';

interface PartProps {
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
}

/** The folders that are protected, with their sizes as these are counted. */
export function Sources({ draft, onChange }: PartProps) {
  const { t } = useTranslation();
  const [isPicking, setPicking] = useState(false);
  const sizes = useSizes(draft.sources.map(({ path }) => path));
  const add = (path: string): void => {
    if (!draft.sources.some((source) => source.path === path)) onChange({ sources: [...draft.sources, { kind: 'folder', path }] });
  };
  return (
    <>
      <ul className={styles.rows}>
        {draft.sources.map(({ path }) => {
          const size = sizes.get(path);
          return (
            <li key={path}>
              <Folder size={16} aria-hidden />
              <span className={styles.path}>{shown(path)}</span>
              <span className="secondary">
                {size
                  ? t(size.isDone ? 'plans.sources.size' : 'plans.sources.counting', { files: count(size.files), size: bytes(size.bytes) })
                  : ''}
              </span>
              <CloseButton
                size="sm"
                aria-label={t('plans.sources.remove', { path: shown(path) })}
                onClick={() => onChange({ sources: draft.sources.filter((source) => source.path !== path) })}
              />
            </li>
          );
        })}
      </ul>
      <Button
        variant="default"
        onClick={() =>
          desktop
            ? void attempt(async () => {
                const picked = await desktop?.chooseFolder(t('plans.sources.add'));
                if (picked) add(picked);
              })
            : setPicking(true)
        }
      >
        {t('plans.sources.add')}
      </Button>
      <FolderPicker isOpen={isPicking} title={t('plans.sources.add')} onClose={() => setPicking(false)} onChoose={add} />
    </>
  );
}

/** Sizes of folders, told while they are counted. */
function useSizes(paths: readonly string[]): ReadonlyMap<string, FolderSize> {
  const [sizes, setSizes] = useState<ReadonlyMap<string, FolderSize>>(new Map());
  const key = JSON.stringify(paths);
  useEffect(() => {
    const wanted = JSON.parse(key) as string[];
    if (wanted.length === 0) return undefined;
    const stop = new AbortController();
    const follow = async (): Promise<void> => {
      for await (const size of await api.files.sizes({ paths: wanted }, { signal: stop.signal }))
        setSizes((before) => new Map(before).set(size.path, size));
    };
    // A folder whose size is not known can be protected all the same.
    follow().catch(() => {});
    return () => stop.abort();
  }, [key]);
  return sizes;
}

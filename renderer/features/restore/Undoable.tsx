import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { UndoableRestore } from '../../../src/contract/restore.ts';
import { api } from '../../api.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { bytes, count } from '../../ui/format.ts';
import { Section } from '../../ui/Page.tsx';
import { shown } from '../../ui/path-words.ts';
import { Time } from '../../ui/Time.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import styles from './Undoable.module.css';

/** Restores into place that can be taken back, or whose kept files can be given up. Nothing is shown where there are none. */
export function Undoable() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { value, again } = useAnswer('undo', (signal) => api.restore.undo.list(undefined, { signal }));
  const [asked, setAsked] = useState<{ readonly act: 'undo' | 'forget'; readonly restore: UndoableRestore }>();
  if (!value || value.length === 0) return null;
  return (
    <Section title={t('restore.undo.title')}>
      <ul className={styles.list}>
        {value.map((restore) => (
          <li key={restore.id}>
            <div className={styles.words}>
              <p>{shown(restore.target)}</p>
              <p className="secondary">
                <Time at={restore.at} /> ·{' '}
                {t('restore.undo.kept', { count: restore.entries, entries: count(restore.entries), size: bytes(restore.bytes) })}
                {restore.state === 'whole' ? '' : ` · ${t(`restore.undo.state.${restore.state}`)}`}
              </p>
            </div>
            <Button
              size="compact-sm"
              variant="default"
              disabled={restore.state !== 'whole' && restore.state !== 'cut-off'}
              onClick={() => setAsked({ act: 'undo', restore })}
            >
              {t('restore.undo.act')}
            </Button>
            <Button
              size="compact-sm"
              variant="subtle"
              disabled={restore.state === 'running'}
              onClick={() => setAsked({ act: 'forget', restore })}
            >
              {t('restore.undo.forget')}
            </Button>
          </li>
        ))}
      </ul>
      {asked ? (
        <Confirm
          isOpen
          onClose={() => setAsked(undefined)}
          question={t(asked.act === 'undo' ? 'restore.undo.question' : 'restore.undo.forgetQuestion', { size: bytes(asked.restore.bytes) })}
          verb={t(asked.act === 'undo' ? 'restore.undo.act' : 'restore.undo.forget')}
          isDestructive={asked.act === 'forget'}
          act={async () => {
            if (asked.act === 'forget') {
              await api.restore.undo.forget({ id: asked.restore.id });
              again();
            } else go(`/restore/run/${(await api.restore.undo.start({ id: asked.restore.id })).id}`);
          }}
        >
          {t(asked.act === 'undo' ? 'restore.undo.text' : 'restore.undo.forgetText')}
        </Confirm>
      ) : null}
    </Section>
  );
}

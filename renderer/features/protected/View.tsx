import { Anchor, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { api, desktop } from '../../api.ts';
import { useSettled } from '../../clock.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Page, Section } from '../../ui/Page.tsx';
import { shown } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { Browser } from './Browser.tsx';
import { snapshotPath } from './snapshot-path.ts';
import styles from './View.module.css';
import { Verdict } from './Verdict.tsx';

/** "Is this file protected?" Any path of the computer, typed, chosen, or dropped on the window. */
export default function Protected() {
  const { t } = useTranslation();
  const [path, setPath] = useState('');
  const asked = snapshotPath(useSettled(path.trim(), 250));
  const { value, error, isWaiting } = useAnswer(asked, (signal) => api.catalogue.protected({ path: asked ?? '/' }, { signal }));
  const dropped = (event: React.DragEvent): void => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && desktop) setPath(desktop.pathOf(file));
  };
  return (
    <div onDragOver={(event) => event.preventDefault()} onDrop={dropped}>
      <Page
        place={t('protected.title')}
        reason={
          <Anchor component={Link} href="/plans" size="sm">
            {t('plans.back')}
          </Anchor>
        }
      >
        <TextInput
          className={styles.path}
          label={t('protected.path')}
          description={t(desktop ? 'protected.pathTextDrop' : 'protected.pathText')}
          value={path}
          spellCheck={false}
          onChange={(event) => setPath(event.currentTarget.value)}
        />
        <div className={styles.answer} aria-live="polite">
          {error === undefined ? null : <ErrorMessage error={error} isUrgent={false} />}
          {asked !== undefined && isWaiting && !value ? <Bones rows={2} height={48} /> : null}
          {asked !== undefined && value ? <Verdict protection={value} path={shown(path.trim())} /> : null}
        </div>
        <Section title={t('protected.choose')}>
          <Browser onChoose={setPath} />
        </Section>
      </Page>
    </div>
  );
}

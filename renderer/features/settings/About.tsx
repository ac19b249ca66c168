import { Anchor } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { api } from '../../api.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { exact } from '../../ui/format.ts';
import { Page } from '../../ui/Page.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import { Licences } from './Licences.tsx';

/** What this is, which version runs, where its data lie, and whose work it stands on. */
export function About() {
  const { t } = useTranslation();
  const { value, error } = useAnswer('info', (signal) => api.service.info(undefined, { signal }));
  return (
    <Page
      place={t('frame.place.settings')}
      title={t('settings.about.title')}
      reason={
        <Anchor component={Link} href="/settings" size="sm">
          {t('settings.about.back')}
        </Anchor>
      }
    >
      {error === undefined ? null : <ErrorMessage error={error} isUrgent={false} />}
      <Facts
        facts={[
          [t('settings.about.version'), value?.version ?? '\u00a0'],
          [t('settings.about.running'), value ? exact(value.startedAt) : '\u00a0'],
          [t('settings.about.profile'), value?.profile ?? '\u00a0'],
          [t('settings.about.format'), t('settings.about.formatText')],
        ]}
      />
      <Licences />
    </Page>
  );
}

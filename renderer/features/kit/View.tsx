import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useService } from '../../live.ts';
import { Page } from '../../ui/Page.tsx';
import { Kit } from './Kit.tsx';

/** The recovery kit of a destination: `/kit/<destination>`. */
export default function KitView() {
  const { t } = useTranslation();
  const [path, go] = useLocation();
  const destination = useService(({ destinations }) => destinations.find(({ id }) => id === path.split('/')[2]));
  return (
    <Page
      place={t('kit.title')}
      reason={destination ? t('kit.of', { name: destination.name }) : null}
      action={<Button onClick={() => go('/')}>{t('kit.done')}</Button>}
    >
      {destination ? <Kit destination={destination.id} /> : null}
    </Page>
  );
}

import { Button } from '@mantine/core';
import { MapPinOff } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { Empty } from '../ui/Empty.tsx';

/** For an address that leads nowhere. */
export function NotFound() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  return (
    <Empty
      isAlone
      icon={MapPinOff}
      title={t('frame.notFound.title')}
      action={<Button onClick={() => go('/')}>{t('frame.notFound.act')}</Button>}
    >
      {t('frame.notFound.text')}
    </Empty>
  );
}

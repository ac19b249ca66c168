import { Button } from '@mantine/core';
import { TriangleAlert } from 'lucide-react';
import { Component, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useLive } from '../live.ts';
import { Empty } from '../ui/Empty.tsx';

/** Keeps a defect of one screen from taking the others with it. */
export class Boundary extends Component<{ readonly children: React.ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override render(): React.ReactNode {
    return this.state.error === undefined ? this.props.children : <Broken error={this.state.error} />;
  }
}

function Broken({ error }: { readonly error: unknown }) {
  const { t } = useTranslation();
  const connection = useLive((live) => live.connection);
  const began = useRef(connection);
  // A screen that could not be loaded because the service was away can be when it is back.
  useEffect(() => {
    if (began.current !== 'open' && connection === 'open') location.reload();
  }, [connection]);
  return (
    <Empty
      icon={TriangleAlert}
      title={t('frame.broken.title')}
      action={<Button onClick={() => location.reload()}>{t('frame.broken.act')}</Button>}
    >
      {t('frame.broken.text')} {t('frame.broken.detail', { cause: error instanceof Error ? error.message : String(error) })}
    </Empty>
  );
}

import { Button } from '@mantine/core';
import { TriangleAlert } from 'lucide-react';
import { Component } from 'react';
import { useTranslation } from 'react-i18next';
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

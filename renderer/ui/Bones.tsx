import { Skeleton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useEffect, useState } from 'react';
import { after } from '../clock.ts';

/** Grey shapes of the final size while something is fetched. They come after a moment only: what is quick does not flicker. */
export function Bones({ rows = 3, height = 48 }: { readonly rows?: number; readonly height?: number }) {
  const { t } = useTranslation();
  const [isSlow, setSlow] = useState(false);
  useEffect(() => after(120, () => setSlow(true)), []);
  return (
    <div role="status" aria-busy>
      <span className="unseen">{t('ui.loading')}</span>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height - 8} mb={8} radius="md" visible={isSlow} style={{ opacity: isSlow ? 1 : 0 }} />
      ))}
    </div>
  );
}

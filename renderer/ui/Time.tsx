import { Tooltip } from '@mantine/core';
import { useNow } from '../clock.ts';
import { exact, relative } from './format.ts';

/** A time as a person feels it ("12 minutes ago"), kept right as it passes; the exact one on hover and for screen readers. */
export function Time({ at }: { readonly at: number }) {
  const now = useNow();
  const precise = exact(at);
  return (
    <Tooltip label={precise}>
      <time dateTime={new Date(at).toISOString()} aria-label={`${relative(at, now)}, ${precise}`}>
        {relative(at, now)}
      </time>
    </Tooltip>
  );
}

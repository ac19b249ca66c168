import { Box, Button, Group } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { Run } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { Facts } from '../../ui/Facts.tsx';
import { attempt } from '../../ui/messages.ts';
import { Section } from '../../ui/Page.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAnswer } from '../../ui/use-answer.ts';

/** Whether what a destination holds is whole: the last check and healing, and how to begin one. */
export function Care({ destination }: { readonly destination: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { value: last } = useAnswer(destination, (signal) => api.care.last({ destination }, { signal }));
  const begin = async (ask: () => Promise<Run>): Promise<void> => {
    let run: Run | undefined;
    await attempt(async () => (run = await ask()));
    if (run) go(`/history/run/${run.id}`);
  };
  return (
    <Section title={t('destinations.care.title')}>
      {last ? (
        <Facts
          facts={[
            [
              t('destinations.care.check'),
              last.check ? (
                <span key="check">
                  <Time at={last.check.at} />
                  {': '}
                  {last.check.errors === 0 ? t('destinations.care.fine') : t('destinations.care.errors', { count: last.check.errors })}
                </span>
              ) : (
                t('destinations.care.never')
              ),
            ],
            ...(last.heal
              ? [
                  [
                    t('destinations.care.heal'),
                    <span key="heal">
                      <Time at={last.heal.at} />
                      {': '}
                      {last.heal.unhealed === 0
                        ? t('destinations.care.whole')
                        : t('destinations.care.unhealed', { count: last.heal.unhealed })}
                    </span>,
                  ] as const,
                ]
              : []),
          ]}
        />
      ) : null}
      <Box component="p" className="secondary" mt="sm">
        {t('destinations.care.text')}
      </Box>
      <Group gap="xs" mt="sm">
        <Button variant="default" onClick={() => void begin(() => api.care.check({ destination, depth: 'quick' }))}>
          {t('destinations.care.quick')}
        </Button>
        <Button variant="default" onClick={() => void begin(() => api.care.check({ destination, depth: 'all' }))}>
          {t('destinations.care.all')}
        </Button>
        <Button variant="default" onClick={() => void begin(() => api.care.heal({ destination }))}>
          {t('destinations.care.repair')}
        </Button>
      </Group>
    </Section>
  );
}

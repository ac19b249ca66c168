import { Anchor, Button, Group, NumberInput, Switch, TextInput } from '@mantine/core';
import { ClipboardX } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { api } from '../../api.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { say } from '../../ui/messages.ts';
import { Page, Section } from '../../ui/Page.tsx';
import { type Draft, draftOf, inputOf, missingOf, newDraft, withDestination } from './draft.ts';
import { Excludes } from './Excludes.tsx';
import { Places } from './Places.tsx';
import { MovePlan } from './MovePlan.tsx';
import { RemovePlan } from './RemovePlan.tsx';
import { RetentionForm } from './RetentionForm.tsx';
import { ScheduleForm } from './ScheduleForm.tsx';
import { Sources } from './Sources.tsx';

/** A plan, new or as it is; nothing counts until it is saved. */
export function PlanEditor({ id, added }: { readonly id: string | undefined; readonly added?: string | undefined }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const plans = useService((state) => state.plans);
  const destinations = useService((state) => state.destinations);
  const plan = plans?.find((each) => each.id === id);
  if (!plans || !destinations)
    return (
      <Page place={t('frame.place.plans')}>
        <Bones rows={6} height={64} />
      </Page>
    );
  if (id !== undefined && !plan)
    return (
      <Page place={t('frame.place.plans')}>
        <Empty icon={ClipboardX} title={t('plans.gone.title')} action={<Button onClick={() => go('/plans')}>{t('plans.back')}</Button>}>
          {t('plans.gone.text')}
        </Empty>
      </Page>
    );
  return (
    <Form
      id={id}
      first={plan ? draftOf(plan) : newDraft(destinations)}
      added={destinations.some((each) => each.id === added) ? added : undefined}
    />
  );
}

interface FormProps {
  readonly id: string | undefined;
  readonly first: Draft;
  /** A destination that the person came here to add as a copy. */
  readonly added: string | undefined;
}

function Form({ id, first, added }: FormProps) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [draft, setDraft] = useState(
    added === undefined ? first : { ...first, destinations: withDestination(first.destinations, added, 'copy') },
  );
  const places = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (added !== undefined) places.current?.scrollIntoView({ block: 'center' });
  }, [added]);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const missing = missingOf(draft);
  const isChanged = id === undefined || JSON.stringify(draft) !== JSON.stringify(first);
  const save = async (): Promise<void> => {
    setAsked(true);
    if (missing.length > 0) return;
    setBusy(true);
    setError(undefined);
    try {
      const input = inputOf({ ...draft, name: draft.name.trim() });
      await (id === undefined ? api.plans.create(input) : api.plans.change({ id, plan: input }));
      say(t('plans.saved', { name: input.name }));
      go('/plans');
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Page
      place={t('frame.place.plans')}
      title={id === undefined ? t('plans.newTitle') : first.name}
      reason={
        <Anchor component={Link} href="/plans" size="sm">
          {t('plans.back')}
        </Anchor>
      }
      action={
        <Button disabled={!isChanged} loading={isBusy} onClick={() => void save()}>
          {t('plans.save')}
        </Button>
      }
    >
      {error === undefined ? null : <ErrorMessage error={error} />}
      <TextInput
        label={t('plans.name')}
        maw={400}
        value={draft.name}
        maxLength={200}
        error={isAsked && missing.includes('name') ? t('plans.missing.name') : undefined}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <Section title={t('plans.sources.title')}>
        {isAsked && missing.includes('sources') ? <p role="alert">{t('plans.missing.sources')}</p> : null}
        <Sources draft={draft} onChange={change} />
        <Excludes draft={draft} onChange={change} />
      </Section>
      <Section title={t('plans.places.title')}>
        {isAsked && missing.includes('destinations') ? <p role="alert">{t('plans.missing.destinations')}</p> : null}
        <div ref={places}>
          {added === undefined ? null : <p className="secondary">{t('plans.places.added')}</p>}
          <Places id={id} draft={draft} onChange={change} />
        </div>
      </Section>
      <Section title={t('plans.schedule.title')}>
        <ScheduleForm draft={draft} id={id} onChange={change} />
      </Section>
      <Section title={t('plans.targets.title')}>
        <Group align="end" gap="lg">
          <NumberInput
            label={t('plans.targets.rpo')}
            description={t('plans.targets.rpoText')}
            min={1}
            max={8760}
            value={Math.round(draft.targets.rpoMinutes / 60)}
            suffix={`\u00a0${t('plans.targets.hours')}`}
            onChange={(hours) => Number(hours) >= 1 && change({ targets: { ...draft.targets, rpoMinutes: Number(hours) * 60 } })}
          />
          <NumberInput
            label={t('plans.targets.rto')}
            description={t('plans.targets.rtoText')}
            min={1}
            max={8760}
            value={draft.targets.rtoMinutes === null ? '' : Math.round(draft.targets.rtoMinutes / 60)}
            placeholder={t('plans.targets.any')}
            suffix={`\u00a0${t('plans.targets.hours')}`}
            onChange={(hours) =>
              change({ targets: { ...draft.targets, rtoMinutes: hours === '' ? null : Math.max(1, Number(hours)) * 60 } })
            }
          />
        </Group>
      </Section>
      <Section title={t('plans.retention.title')}>
        <RetentionForm draft={draft} id={id} onChange={change} />
      </Section>
      <Section title={t('plans.state')}>
        <Switch
          checked={draft.enabled}
          label={t('plans.isOn')}
          description={t('plans.isOnText')}
          onChange={(event) => change({ enabled: event.currentTarget.checked })}
        />
        {id === undefined ? null : (
          <Group gap="xs">
            <MovePlan id={id} name={first.name} />
            <RemovePlan id={id} name={first.name} />
          </Group>
        )}
      </Section>
    </Page>
  );
}

import { Button, NumberInput, SegmentedControl, Select, Switch, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { Settings, SettingsChange } from '../../../src/contract/settings.ts';
import { api, desktop, logOut } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { moment } from '../../ui/format.ts';
import { attempt, say } from '../../ui/messages.ts';
import { Page, Section } from '../../ui/Page.tsx';
import { Prices } from '../capacity/Prices.tsx';
import { About } from './About.tsx';
import { Computer } from './Computer.tsx';
import { Row } from './Row.tsx';

/** What holds for all plans on this computer. Every change counts at once. */
export default function SettingsScreen() {
  const { t } = useTranslation();
  const [path] = useLocation();
  const settings = useService((state) => state.settings);
  if (path === '/settings/about') return <About />;
  if (path === '/settings/prices') return <Prices />;
  return (
    <Page place={t('frame.place.settings')}>
      {settings ? (
        <>
          <Look settings={settings} />
          <Work settings={settings} />
          <Pause />
          <Computer />
          <Keeping settings={settings} />
        </>
      ) : (
        <Bones rows={6} height={64} />
      )}
    </Page>
  );
}

const change = (part: SettingsChange): void => void attempt(() => api.settings.change(part));

function Look({ settings: { language, theme, notifications } }: { readonly settings: Settings }) {
  const { t } = useTranslation();
  return (
    <Section title={t('settings.look')}>
      <Row title={t('settings.language.label')}>
        <Select
          aria-label={t('settings.language.label')}
          data={(['system', 'en', 'zh-CN'] as const).map((value) => ({ value, label: t(`settings.language.${value}`) }))}
          value={language}
          allowDeselect={false}
          onChange={(next) => next !== null && change({ language: next as Settings['language'] })}
        />
      </Row>
      <Row title={t('settings.theme.label')}>
        <SegmentedControl
          aria-label={t('settings.theme.label')}
          data={(['system', 'light', 'dark'] as const).map((value) => ({ value, label: t(`settings.theme.${value}`) }))}
          value={theme}
          onChange={(next) => change({ theme: next as Settings['theme'] })}
        />
      </Row>
      <Row title={t('settings.notifications.label')} text={t('settings.notifications.text')}>
        <Switch
          aria-label={t('settings.notifications.label')}
          checked={notifications}
          onChange={(event) => change({ notifications: event.currentTarget.checked })}
        />
      </Row>
    </Section>
  );
}

function Work({ settings: { gentle, threads, limitUpload, limitDownload } }: { readonly settings: Settings }) {
  const { t } = useTranslation();
  return (
    <Section title={t('settings.work')}>
      <Row title={t('settings.gentle.label')} text={t('settings.gentle.text')}>
        <Switch
          aria-label={t('settings.gentle.label')}
          checked={gentle}
          onChange={(event) => change({ gentle: event.currentTarget.checked })}
        />
      </Row>
      <Row title={t('settings.threads.label')} text={t('settings.threads.text')}>
        <Threads value={threads} />
      </Row>
      <Rate title={t('settings.rate.upload')} value={limitUpload} onChange={(next) => change({ limitUpload: next })} />
      <Rate title={t('settings.rate.download')} value={limitDownload} onChange={(next) => change({ limitDownload: next })} />
    </Section>
  );
}

/** How many cores a run may use; empty for all of them. */
function Threads({ value }: { readonly value: number | null }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<number | string>(value ?? '');
  useEffect(() => setTyped(value ?? ''), [value]);
  return (
    <NumberInput
      aria-label={t('settings.threads.label')}
      w={128}
      min={1}
      max={256}
      allowDecimal={false}
      placeholder={t('settings.threads.all')}
      value={typed}
      onChange={setTyped}
      onBlur={() => {
        const next = typed === '' ? null : Math.min(256, Math.max(1, Number(typed)));
        if (next !== value) change({ threads: next });
      }}
    />
  );
}

interface RateProps {
  readonly title: string;
  readonly value: string | null;
  readonly onChange: (value: string | null) => void;
}

/** A limit as the command line takes it: it may depend on the time of day. */
function Rate({ title, value, onChange }: RateProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value ?? '');
  useEffect(() => setTyped(value ?? ''), [value]);
  const wanted = typed.trim() === '' ? null : typed.trim();
  return (
    <Row title={title} text={t('settings.rate.text')}>
      <TextInput
        aria-label={title}
        w={208}
        placeholder={t('settings.rate.none')}
        value={typed}
        spellCheck={false}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && wanted !== value && onChange(wanted)}
        onBlur={() => wanted !== value && onChange(wanted)}
      />
    </Row>
  );
}

function Pause() {
  const { t } = useTranslation();
  const now = useNow();
  const pause = useService((state) => state.pause);
  const set = (span: 'tomorrow' | 'resumed' | { minutes: number }): void => void attempt(() => api.pause.set({ for: span }));
  return (
    <Section title={t('settings.pause.title')}>
      <Row
        title={
          pause
            ? pause.until === null
              ? t('settings.pause.paused')
              : t('settings.pause.pausedUntil', { time: moment(pause.until, now) })
            : t('settings.pause.running')
        }
        text={t('settings.pause.text')}
      >
        {pause ? (
          <Button onClick={() => void attempt(() => api.pause.clear())}>{t('settings.pause.resume')}</Button>
        ) : (
          <>
            <Button variant="default" onClick={() => set({ minutes: 60 })}>
              {t('settings.pause.hour')}
            </Button>
            <Button variant="default" onClick={() => set('tomorrow')}>
              {t('settings.pause.tomorrow')}
            </Button>
            <Button variant="default" onClick={() => set('resumed')}>
              {t('settings.pause.resumed')}
            </Button>
          </>
        )}
      </Row>
    </Section>
  );
}

function Keeping({ settings: { keepRunsDays } }: { readonly settings: Settings }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const save = (): Promise<boolean> =>
    attempt(async () => {
      const { name, mediaType, base64 } = await api.diagnostics.make({ format: 'text' });
      const link = document.createElement('a');
      link.href = `data:${mediaType};base64,${base64}`;
      link.download = name;
      link.click();
      say(t('settings.diagnostics.saved', { name }));
    });
  return (
    <Section title={t('settings.keeping')}>
      <Row title={t('settings.keepRuns.label')} text={t('settings.keepRuns.text')}>
        <NumberInput
          aria-label={t('settings.keepRuns.label')}
          w={128}
          min={7}
          max={36_500}
          allowDecimal={false}
          suffix={`\u00a0${t('settings.keepRuns.days')}`}
          defaultValue={keepRunsDays}
          onBlur={(event) => {
            const next = Number.parseInt(event.currentTarget.value, 10);
            if (Number.isInteger(next) && next !== keepRunsDays) change({ keepRunsDays: Math.min(36_500, Math.max(7, next)) });
          }}
        />
      </Row>
      <Row title={t('settings.diagnostics.label')} text={t('settings.diagnostics.text')}>
        <Button variant="default" onClick={() => void save()}>
          {t('settings.diagnostics.act')}
        </Button>
      </Row>
      <Row title={t('capacity.prices.label')} text={t('capacity.prices.text')}>
        <Button variant="default" onClick={() => go('/settings/prices')}>
          {t('capacity.prices.open')}
        </Button>
      </Row>
      <Row title={t('settings.about.label')} text={t('settings.about.text')}>
        <Button variant="default" onClick={() => go('/settings/about')}>
          {t('settings.about.act')}
        </Button>
      </Row>
      {desktop ? null : (
        <Row title={t('settings.session.label')} text={t('settings.session.text')}>
          <Button variant="default" onClick={() => void attempt(() => logOut())}>
            {t('settings.session.act')}
          </Button>
        </Row>
      )}
    </Section>
  );
}

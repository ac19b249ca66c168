import { Button, Switch } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LoginItem, UpdateState } from '../../../src/contract/desktop-calls.ts';
import { desktop } from '../../api.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { attempt } from '../../ui/messages.ts';
import { Section } from '../../ui/Page.tsx';
import { Row } from './Row.tsx';

/** What only the program on the computer can do: start by itself, and renew itself. In a browser it is said how both go. */
export function Computer() {
  const { t } = useTranslation();
  return (
    <Section title={t('settings.computer')}>
      {desktop ? <Login bridge={desktop} /> : <Row title={t('settings.loginItem.label')} text={t('settings.loginItem.browser')} />}
      {desktop ? <Update bridge={desktop} /> : <Row title={t('settings.update.label')} text={t('settings.update.browser')} />}
    </Section>
  );
}

type Bridge = NonNullable<typeof desktop>;

function Login({ bridge }: { readonly bridge: Bridge }) {
  const { t } = useTranslation();
  const [item, setItem] = useState<LoginItem>();
  useEffect(() => void attempt(async () => setItem(await bridge.loginItem())), [bridge]);
  const set = (enabled: boolean): void => void attempt(async () => setItem(await bridge.setLoginItem(enabled)));
  return (
    <Row
      title={t('settings.loginItem.label')}
      text={t(item?.isSupported === false ? 'settings.loginItem.absent' : 'settings.loginItem.text')}
    >
      <Switch
        aria-label={t('settings.loginItem.label')}
        checked={item?.isEnabled ?? false}
        disabled={item?.isSupported !== true}
        onChange={(event) => set(event.currentTarget.checked)}
      />
    </Row>
  );
}

function Update({ bridge }: { readonly bridge: Bridge }) {
  const { t } = useTranslation();
  const [state, setState] = useState<UpdateState>({ is: 'idle' });
  useEffect(() => {
    void attempt(async () => setState(await bridge.update()));
    return bridge.onUpdate(setState);
  }, [bridge]);
  return (
    <>
      <Row
        title={t('settings.update.label')}
        text={t(`settings.update.${state.is}`, state.is === 'loading' || state.is === 'ready' ? { version: state.version } : {})}
      >
        {state.is === 'ready' ? (
          <Button onClick={() => void attempt(() => bridge.installUpdate())}>{t('settings.update.install')}</Button>
        ) : state.is === 'unsupported' ? null : (
          <Button
            variant="default"
            loading={state.is === 'looking' || state.is === 'loading'}
            onClick={() => void attempt(async () => setState(await bridge.lookForUpdate()))}
          >
            {t('settings.update.look')}
          </Button>
        )}
      </Row>
      {state.is === 'failed' ? <ErrorMessage error={state.error} isUrgent={false} /> : null}
    </>
  );
}

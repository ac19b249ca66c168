import { Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Router } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { desktop } from '../api.ts';
import { useLive, useService } from '../live.ts';
import { Bones } from '../ui/Bones.tsx';
import { Messages } from '../ui/Messages.tsx';
import { useAppearance } from './appearance.ts';
import styles from './App.module.css';
import { Boundary } from './Boundary.tsx';
import { ConnectionNotice, Unconnected } from './ConnectionNotice.tsx';
import { Login } from './Login.tsx';
import { NotFound } from './NotFound.tsx';
import { isFirstRunPutOff } from '../features/first-run/leave.ts';
import { FirstRun, KitView, placeAt, ProtectedView } from './places.ts';
import { Sidebar } from './Sidebar.tsx';

/** The frame: places at the left, the screen that one is at, and what is to say about the connection. */
export function App() {
  useAppearance();
  const connection = useLive((live) => live.connection);
  const isKnown = useLive(({ state }) => state !== undefined);
  return (
    <Router hook={useHashLocation}>
      {connection === 'login' ? <Login /> : isKnown || connection === 'connecting' ? <Screens /> : <Unconnected />}
      <Messages />
    </Router>
  );
}

/** The first run has the whole window, and comes by itself where there is nothing yet. */
function Screens() {
  const [path, go] = useHashLocation();
  const isNew = useService(({ plans, destinations }) => plans.length === 0 && destinations.length === 0) ?? false;
  // The tray, the menu and notifications of the desktop shell lead to screens.
  useEffect(() => desktop?.onGo((wanted) => go(wanted)), [go]);
  const isWanted = isNew && path === '/' && !isFirstRunPutOff();
  useEffect(() => {
    if (isWanted) go('/welcome', { replace: true });
  }, [isWanted, go]);
  if (path !== '/welcome' && !path.startsWith('/welcome/')) return <Frame />;
  return (
    <Boundary>
      <ConnectionNotice />
      <Suspense fallback={null}>
        <FirstRun />
      </Suspense>
    </Boundary>
  );
}

function Frame() {
  const { t } = useTranslation();
  const [path] = useHashLocation();
  const place = placeAt(path);
  const View = path.startsWith('/kit/') ? KitView : path === '/protected' ? ProtectedView : (place?.View ?? NotFound);
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [place]);
  return (
    <div className={styles.frame}>
      <a
        className={styles.skip}
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        {t('frame.skip')}
      </a>
      <Sidebar at={place?.name} />
      <main id="main" tabIndex={-1} className={styles.main}>
        <ConnectionNotice />
        <Boundary key={place?.name}>
          <Suspense fallback={<Waiting />}>
            <View />
          </Suspense>
        </Boundary>
      </main>
    </div>
  );
}

function Waiting() {
  return (
    <div className={styles.waiting}>
      <Bones rows={3} height={96} />
    </div>
  );
}

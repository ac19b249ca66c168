/** The page's beginning. */
import '@mantine/core/styles.css';
import './ui/theme.css';
import { MantineProvider } from '@mantine/core';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { keepConnected } from './api.ts';
import { App } from './app/App.tsx';
import { firstLanguage, firstTheme } from './app/appearance.ts';
import { askFirst } from './features/home/store.ts';
import { speak } from './i18n/i18n.ts';
import { theme } from './ui/theme.ts';

keepConnected();
askFirst();
// Not awaited at the top: the texts import from this piece of the program, which has to be through first.
void speak(firstLanguage()).then(() => {
  const scheme = firstTheme();
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme={scheme === 'system' ? 'auto' : scheme}>
        <App />
      </MantineProvider>
    </StrictMode>,
  );
});

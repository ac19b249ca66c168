import { lazy } from 'react';
import { useLocation } from 'wouter';
import { useRestore } from './store.ts';
import { Version } from './Version.tsx';
import { What } from './What.tsx';
import { Where } from './Where.tsx';

const Verify = lazy(async () => ({ default: (await import('./Verify.tsx')).Verify }));

/** The restore wizard: What, Version, Where; the run that follows has an address of its own, so that it is found again. */
export default function Restore() {
  const [path] = useLocation();
  const step = useRestore((state) => state.step);
  const run = /^\/restore\/run\/(\d+)$/.exec(path);
  if (run) return <Verify key={run[1]} id={Number(run[1])} />;
  if (step === 'version') return <Version />;
  return step === 'where' ? <Where /> : <What />;
}

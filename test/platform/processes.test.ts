import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { isProcessAlive } from '../../src/platform/processes.ts';

describe('isProcessAlive', () => {
  it('sees this process and the first one, whoever owns it', () => {
    expect(isProcessAlive(process.pid)).toBe(true);
    expect(isProcessAlive(1)).toBe(true);
  });

  it('sees a process end', async () => {
    const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    expect(isProcessAlive(child.pid as number)).toBe(true);
    child.stdin.end();
    await once(child, 'exit');
    expect(isProcessAlive(child.pid as number)).toBe(false);
  });

  it.skipIf(process.getuid?.() !== 0)('sees a process that belongs to somebody else', async () => {
    const script = `const { isProcessAlive } = await import(${JSON.stringify(new URL('../../src/platform/processes.ts', import.meta.url).href)});
      process.setuid(65534);
      let refused = '';
      try { process.kill(${process.pid}, 0); } catch (e) { refused = e.code; }
      console.log(refused, isProcessAlive(${process.pid}));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = await new Response(child.stdout as unknown as ConstructorParameters<typeof Response>[0]).text();
    expect(output).toBe('EPERM true\n');
  });

  it.skipIf(process.platform !== 'linux')('takes a zombie for what it is: ended', async () => {
    const script = 'import os,sys\npid = os.fork()\nif pid == 0: os._exit(0)\nprint(pid, flush=True)\nsys.stdin.read()';
    const parent = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const zombie = Number(line.toString());
    expect(zombie).toBeGreaterThan(0);
    // Until it has ended there is nothing to wait on but its state.
    while (isProcessAlive(zombie)) await systemClock.sleep(1);
    expect(() => process.kill(zombie, 0)).not.toThrow();
    parent.stdin.end();
    await once(parent, 'exit');
  });

  it('never signals a group of processes, nor believes in impossible numbers', () => {
    for (const pid of [0, -1, -process.pid, 1.5, Number.NaN, Infinity, 2 ** 31, 2 ** 32 + process.pid, 0x7fff_ffff]) {
      expect(isProcessAlive(pid)).toBe(false);
    }
  });
});

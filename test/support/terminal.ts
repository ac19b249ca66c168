/** Runs a program on a terminal (a pseudo-terminal made by Python), as a person in front of it would. */
import { spawn } from 'node:child_process';
import { execPath } from 'node:process';
import { cleanEnvironment } from './cli.ts';

/** What to type, and after which text has appeared. */
export interface Step {
  readonly after: string;
  readonly type: string;
}

export interface TerminalRun {
  readonly code: number;
  /** Everything that the terminal was sent. */
  readonly screen: string;
}

// Reads what the program writes and types when the awaited text has appeared behind the one before it.
const driver = String.raw`
import fcntl, json, os, pty, struct, sys, termios
task = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, task['columns'], 0, 0))
    os.execve(task['argv'][0], task['argv'], task['env'])
screen, seen, steps = b'', 0, task['steps']
while True:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    screen += piece
    while steps and screen.find(steps[0]['after'].encode(), seen) >= 0:
        step = steps.pop(0)
        seen = screen.find(step['after'].encode(), seen) + len(step['after'].encode())
        os.write(fd, step['type'].encode())
_, status = os.waitpid(pid, 0)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
print(json.dumps({'code': code, 'screen': screen.decode('utf-8', 'replace')}))
`;

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly steps?: readonly Step[];
}

/** Runs a Node program with arguments on a terminal. */
export const onTerminal = (program: string, args: readonly string[], options: TerminalOptions = {}): Promise<TerminalRun> =>
  commandOnTerminal([execPath, program, ...args], options);

/** Runs any program, by its path, with arguments on a terminal. */
export async function commandOnTerminal(argv: readonly string[], options: TerminalOptions = {}): Promise<TerminalRun> {
  const env = cleanEnvironment({ TERM: 'xterm', ...options.env });
  const task = { argv, env, columns: options.columns ?? 100, steps: options.steps ?? [] };
  const python = spawn('/usr/bin/python3', ['-c', driver, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  python.stdout.on('data', (piece: Buffer) => output.push(piece));
  python.stderr.on('data', (piece: Buffer) => errors.push(piece));
  const code = await new Promise<number | null>((resolve, reject) => {
    python.on('error', reject);
    python.on('close', resolve);
  });
  if (code !== 0) throw new Error(`the terminal failed (${code}): ${Buffer.concat(errors).toString()}`);
  return JSON.parse(Buffer.concat(output).toString()) as TerminalRun;
}

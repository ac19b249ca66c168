/**
 * Where the project's tools are and how they are run.
 *
 * Everything in scripts/ that `npm start` or `npm test` reach before the dependencies are there is plain JavaScript for
 * Node 18 and newer and imports nothing but Node itself. All real work runs under the pinned Node, the npm package
 * `node`, because the machine's own may be older than the product needs.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of the project. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const windows = process.platform === 'win32';
const binFolder = join(root, 'node_modules', '.bin');

/** The pinned Node. */
export const pinnedNode = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');

/**
 * The environment in which `#!/usr/bin/env node` finds the pinned Node.
 *
 * @param {NodeJS.ProcessEnv} [more] variables to add
 * @returns {NodeJS.ProcessEnv}
 */
export function pinnedEnvironment(more = {}) {
  return { ...process.env, ...more, PATH: [dirname(pinnedNode), binFolder, process.env['PATH'] ?? ''].join(delimiter) };
}

/**
 * The environment as it is without the project, in which `node` and `npm` are the machine's own: needed while
 * node_modules, with the pinned Node in it, is being replaced.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function machineEnvironment() {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes(join('node_modules', '.bin')));
  return { ...process.env, PATH: folders.filter((folder) => folder !== dirname(pinnedNode)).join(delimiter) };
}

/**
 * Runs a program to its end with this process's input and output. Signals that end this process are passed on first, so
 * that the program can stop cleanly.
 *
 * @param {string} command a program's path, or a name to be found in the PATH
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options] without them: the pinned environment, the project's top
 * @returns {Promise<number>} the exit code; 128 + its number for a signal; 127 when the program cannot be started
 */
export function run(command, args, { env = pinnedEnvironment(), cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { cwd, env, stdio: 'inherit', shell: windows && !command.endsWith('.exe') });
    /** @type {NodeJS.Signals[]} */
    const signals = windows ? ['SIGINT'] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
    /** @param {NodeJS.Signals} signal */
    const pass = (signal) => {
      // A terminal gives Ctrl-C to the program itself too; a second one would look as if it had been pressed twice.
      const fromTerminal = (signal === 'SIGINT' || signal === 'SIGQUIT') && process.stdin.isTTY === true;
      if (!fromTerminal) child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    /** @param {number} code */
    const end = (code) => {
      for (const signal of signals) process.off(signal, pass);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      end(127);
    });
    child.once('close', (code, signal) => end(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/**
 * Runs a tool from node_modules/.bin.
 *
 * @param {string} name
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [more] variables to add
 */
export function runTool(name, args, more = {}) {
  return run(join(binFolder, windows ? `${name}.cmd` : name), args, { env: pinnedEnvironment(more) });
}

/**
 * Runs one of the project's own programs under the pinned Node.
 *
 * @param {string} file relative to the project's top
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 */
export function runNode(file, args, options) {
  return run(pinnedNode, [join(root, file), ...args], options);
}

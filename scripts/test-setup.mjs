// Makes a Debian machine ready for the tests: the Debian packages they call, from Debian trixie restic 0.18, the judge, and
// rest-server, and from npm azurite, which is Azure's storage for tests (far too large to be a dependency). Runs before `npm ci`, under any Node ≥ 18; does nothing, quickly, when all is there.
//
//   node scripts/test-setup.mjs      last line of stdout: the path of the restic binary. Exit code 0 ready, 1 not.
//
// Nothing is skipped in silence: a missing package is an error, and an older restic is announced (an error if CI=true).

import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

// What the program is run beside, and what judges its ZIP files, completions and manual page.
const TOOLS = ['rsync', 'acl', 'attr', 'strace', 'e2fsprogs', 'util-linux', 'mount', 'python3', 'git', 'tzdata'];
const JUDGES = ['unzip', 'bash', 'zsh', 'fish', 'man-db', 'groff-base', 'mandoc'];
const SERVERS = ['rclone', 'openssl', 'python3-swift', 'apache2-bin', 'openssh-server', 'openssh-client'];
const DESKTOP = ['dbus', 'systemd', 'libglib2.0-bin', 'gnome-keyring', 'dosfstools', 'btrfs-progs'];
// The interface is tested in a real browser, and looked at in both its languages.
const BROWSER = ['chromium', 'fonts-dejavu-core', 'fonts-wqy-microhei'];
const PACKAGES = [...TOOLS, ...JUDGES, ...SERVERS, ...DESKTOP, ...BROWSER];
const RESTIC_SUITE = 'trixie';
const RESTIC_NEEDED = '0.18';
const AZURITE = '3.37.0';
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const isRoot = process.getuid?.() === 0;
const isCi = process.env.CI === 'true' || process.env.CI === '1';

/**
 * The restic the tests are to use: the newest fetched one, else one installed on the machine.
 * @returns {{ path: string, version: string, current: boolean } | undefined} `current`: at least version 0.18.
 */
export function locateRestic() {
  const fetched = listFolder(cacheFolder())
    .filter((name) => name.startsWith('restic-'))
    .sort((a, b) => compareVersions(b.slice('restic-'.length), a.slice('restic-'.length)))
    .map((name) => join(cacheFolder(), name, 'restic'));
  const installed = (process.env.PATH ?? '')
    .split(':')
    .filter(Boolean)
    .map((folder) => join(folder, 'restic'));
  let older;
  for (const path of [...fetched, ...installed]) {
    const version = resticVersion(path);
    if (version === undefined) continue;
    if (compareVersions(version, RESTIC_NEEDED) >= 0) return { path, version, current: true };
    older ??= { path, version, current: false };
  }
  return older;
}

/**
 * The newest rest-server that was fetched.
 * @returns {string | undefined} its path
 */
export function locateRestServer() {
  const version = (name) => name.slice('rest-server-'.length);
  return listFolder(cacheFolder())
    .filter((name) => name.startsWith('rest-server-'))
    .sort((a, b) => compareVersions(version(b), version(a)))
    .map((name) => join(cacheFolder(), name, 'rest-server'))
    .find((path) => restServerVersion(path) !== undefined);
}

/**
 * Azure's storage for tests.
 * @returns {string | undefined} the path of its program, which Node is to run
 */
export function locateAzurite() {
  const path = join(cacheFolder(), `azurite-${AZURITE}`, 'node_modules/azurite/dist/src/blob/main.js');
  return readText(path) === '' ? undefined : path;
}

function restServerVersion(path) {
  return /rest-server (\d+\.\d+(?:\.\d+)?)/.exec(run(path, ['--version']).stdout)?.[1];
}

function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast-test');
}

function listFolder(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function resticVersion(path) {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return undefined;
  }
  return /^restic (\d+\.\d+(?:\.\d+)?)/.exec(run(path, ['version']).stdout)?.[1];
}

function compareVersions(a, b) {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function run(command, args, options = {}) {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, env, ...options });
  return {
    ok: result.status === 0,
    stdout: result.stdout ?? '',
    stderr: (result.stderr ?? '') + (result.error ? String(result.error) : ''),
  };
}

function say(text) {
  console.log(`test-setup: ${text}`);
}

// ---- Debian packages

function missingPackages() {
  const { stdout } = run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...PACKAGES]);
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return PACKAGES.filter((name) => !installed.has(name));
}

/** Installs or upgrades packages of the machine's own Debian. Throws with apt's words. */
function aptInstall(packages) {
  const lock = ['-o', 'DPkg::Lock::Timeout=300'];
  const install = [...lock, 'install', '-y', '-q', '--no-install-recommends', ...packages];
  let result = run('apt-get', install);
  if (!result.ok) {
    // The package lists are absent or older than the archive: both look like a failed install.
    const update = run('apt-get', [...lock, 'update', '-q']);
    result = run('apt-get', install);
    if (!result.ok) throw new Error(`apt-get install ${packages.join(' ')} failed:\n${update.ok ? '' : update.stderr}${result.stderr}`);
  }
}

// ---- programs from trixie

/**
 * The machine's own source of Debian packages, read from deb822 (.sources) and one-line (.list) files.
 * @returns {{ uri: string, signedBy: string | undefined, trusted: string | undefined } | undefined}
 */
function machineSource(aptFolder = '/etc/apt') {
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(readText('/etc/os-release'))?.[1];
  const suites = new Set(['bookworm', RESTIC_SUITE, ...(codename ? [codename] : [])]);
  const parts = listFolder(join(aptFolder, 'sources.list.d'))
    .sort()
    .map((name) => join(aptFolder, 'sources.list.d', name));
  for (const file of [join(aptFolder, 'sources.list'), ...parts]) {
    const parse = file.endsWith('.sources') ? parseDeb822 : file.endsWith('.list') ? parseOneLine : () => [];
    for (const entry of parse(readText(file))) {
      if (entry.types.includes('deb') && entry.components.includes('main') && entry.suites.some((suite) => suites.has(suite))) return entry;
    }
  }
  return undefined;
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parseDeb822(text) {
  const words = (value) => (value ?? '').split(/\s+/).filter(Boolean);
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n[ \t]*\n/)
    .map((stanza) => {
      const fields = {};
      // A field's value goes on in the lines that start with white space (a key may stand there in full).
      for (const match of stanza.matchAll(/^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)) fields[match[1].toLowerCase()] = match[2];
      return {
        types: (fields.enabled ?? 'yes').trim() === 'no' ? [] : words(fields.types),
        uri: words(fields.uris)[0],
        suites: words(fields.suites),
        components: words(fields.components),
        signedBy: fields['signed-by'],
        trusted: fields.trusted,
      };
    })
    .filter((entry) => entry.uri);
}

function parseOneLine(text) {
  const entries = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(deb)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (!match) continue;
    const option = (name) => new RegExp(`(?:^|\\s)${name}=(\\S+)`, 'i').exec(match[2] ?? '')?.[1];
    entries.push({
      types: [match[1]],
      uri: match[3],
      suites: [match[4]],
      components: match[5].trim().split(/\s+/),
      signedBy: option('signed-by')?.replaceAll(',', ' '),
      trusted: option('trusted'),
    });
  }
  return entries;
}

/**
 * Downloads a program of trixie and keeps it in the cache folder, with an apt configuration of its own: the machine's stays as
 * it is. `binary` is its path in the package, `versionOf` runs it.
 */
function fetchProgram(packageName, name, binary, versionOf) {
  const source = machineSource();
  if (!source) throw new Error('no source of Debian packages was found in /etc/apt');
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-apt-'));
  try {
    for (const folder of ['parts', 'preferences', 'lists/partial', 'cache/archives/partial', 'state'])
      mkdirSync(join(scratch, folder), { recursive: true });
    writeFileSync(join(scratch, 'status'), '');
    const apt = (...args) => run('apt-get', [...scratchAptOptions(scratch), ...args], { cwd: scratch });

    writeSource(scratch, source);
    let update = apt('update', '-q');
    if (!update.ok && /NO_PUBKEY|not signed|no valid|couldn't be verified/i.test(update.stderr)) {
      // The keyring is older than trixie. The machine's own Debian ships the newer keys, signed by the keys it trusts.
      if (!isRoot) throw new Error("this machine's keyring lacks the keys of trixie: as root, apt-get install debian-archive-keyring");
      say('installing the newest debian-archive-keyring, which holds the keys of trixie');
      aptInstall(['debian-archive-keyring']);
      writeSource(scratch, { ...source, signedBy: DEBIAN_KEYRING });
      update = apt('update', '-q');
    }
    if (!update.ok) throw new Error(`reading the package list of ${RESTIC_SUITE} failed:\n${update.stderr}`);
    const download = apt('download', '-q', packageName);
    const deb = readdirSync(scratch).find((each) => each.endsWith('.deb'));
    if (!download.ok || !deb) throw new Error(`apt-get download ${packageName} failed:\n${download.stderr}`);

    const unpacked = join(scratch, 'unpacked');
    const unpack = run('dpkg', ['-x', join(scratch, deb), unpacked]);
    if (!unpack.ok) throw new Error(`dpkg -x failed:\n${unpack.stderr}`);
    const version = versionOf(join(unpacked, binary));
    if (!version) throw new Error(`the downloaded ${name} does not run on this machine`);
    keepProgram(join(unpacked, binary), join(cacheFolder(), `${name}-${version}`), name);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function scratchAptOptions(scratch) {
  const options = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(scratch, 'parts'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': join(scratch, 'preferences'),
    'Dir::State': join(scratch, 'state'),
    'Dir::State::Lists': join(scratch, 'lists'),
    'Dir::State::Status': join(scratch, 'status'),
    'Dir::Cache': join(scratch, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    // Else apt takes an unreachable list for a warning.
    'APT::Update::Error-Mode': 'any',
    'APT::Default-Release': RESTIC_SUITE,
    // apt's own download user could not write into the scratch folder.
    'APT::Sandbox::User': userInfo().username,
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function writeSource(scratch, { uri, signedBy, trusted }) {
  const fields = ['Types: deb', `URIs: ${uri}`, `Suites: ${RESTIC_SUITE}`, 'Components: main'];
  if (signedBy) fields.push(`Signed-By: ${signedBy}`);
  if (trusted) fields.push(`Trusted: ${trusted}`);
  writeFileSync(join(scratch, 'parts', 'restic.sources'), `${fields.join('\n')}\n`);
}

function keepProgram(binary, folder, name) {
  mkdirSync(folder, { recursive: true });
  // Copied beside its place and renamed, so that a run in parallel never sees half a program.
  const partial = join(folder, `${name}.${process.pid}`);
  writeFileSync(partial, readFileSync(binary));
  chmodSync(partial, 0o755);
  renameSync(partial, join(folder, name));
}

// ---- the whole

function prepareRestic() {
  let found = locateRestic();
  if (found?.current) return found;
  try {
    say(`fetching restic ${RESTIC_NEEDED} from Debian ${RESTIC_SUITE}`);
    fetchProgram('restic', 'restic', 'usr/bin/restic', resticVersion);
    found = locateRestic();
    if (!found?.current) throw new Error(`Debian ${RESTIC_SUITE} gave restic ${found?.version ?? 'none'}`);
    return found;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (isCi) throw new Error(`restic ${RESTIC_NEEDED} is needed and could not be fetched: ${reason}`);
    if (!found && isRoot) aptInstall(['restic']);
    found = locateRestic();
    if (!found) throw new Error(`no restic: ${reason}\nInstall restic ${RESTIC_NEEDED} or newer.`);
    say(`WARNING: restic ${RESTIC_NEEDED} could not be fetched: ${reason}`);
    say(
      `WARNING: falling back to restic ${found.version}. It lacks rewrite, repair, raw link targets and latest:PATH; tests that need them will FAIL.`,
    );
    return found;
  }
}

/** The tests that need it say so and fail when it could not be fetched. */
function prepareRestServer() {
  if (locateRestServer()) return;
  try {
    say(`fetching rest-server from Debian ${RESTIC_SUITE}`);
    fetchProgram('restic-rest-server', 'rest-server', 'usr/bin/restic-rest-server', restServerVersion);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (isCi) throw new Error(`rest-server is needed and could not be fetched: ${reason}`);
    say(`WARNING: rest-server could not be fetched, so tests that need it will FAIL: ${reason}`);
  }
}

/** The same. Installed beside its place and renamed, so that what is there is whole. */
function prepareAzurite() {
  if (locateAzurite()) return;
  say(`fetching azurite ${AZURITE} from npm`);
  mkdirSync(cacheFolder(), { recursive: true });
  const partial = mkdtempSync(join(cacheFolder(), 'partial-azurite-'));
  try {
    // Telemetry, and databases to keep blobs in: most of azurite's 365 MB, and nothing that a test needs.
    mkdirSync(join(partial, 'nothing'));
    writeFileSync(join(partial, 'nothing/package.json'), '{"name":"nothing","version":"0.0.0","main":"index.js"}\n');
    writeFileSync(join(partial, 'nothing/index.js'), 'module.exports = {};\n');
    const overrides = { applicationinsights: 'file:./nothing', mysql2: 'file:./nothing', tedious: 'file:./nothing' };
    writeFileSync(join(partial, 'package.json'), `${JSON.stringify({ private: true, overrides })}\n`);
    const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', '--save-exact', `azurite@${AZURITE}`];
    const result = run('npm', install, { cwd: partial });
    if (!result.ok) throw new Error(`npm install failed:\n${result.stderr}`);
    const folder = join(cacheFolder(), `azurite-${AZURITE}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } catch (error) {
    // Another run may have been faster.
    if (locateAzurite()) return;
    const reason = error instanceof Error ? error.message : String(error);
    if (isCi) throw new Error(`azurite is needed and could not be fetched: ${reason}`);
    say(`WARNING: azurite could not be fetched, so tests that need it will FAIL: ${reason}`);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function main() {
  const missing = missingPackages();
  if (missing.length > 0) {
    const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
    if (!isRoot) throw new Error(`these Debian packages are missing: ${missing.join(' ')}\nAs root: ${command}`);
    say(`installing ${missing.join(' ')}`);
    aptInstall(missing);
    const still = missingPackages();
    if (still.length > 0) throw new Error(`still missing after the installation: ${still.join(' ')}`);
  }
  prepareRestServer();
  prepareAzurite();
  const restic = prepareRestic();
  say(`ready, with restic ${restic.version}`);
  console.log(restic.path);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(`test-setup: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

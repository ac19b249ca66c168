/**
 * Well-known things that nobody needs back, as presets to choose by name. Only places and names that mean the same everywhere: a preset
 * must never leave out what a person made. All systems' patterns always apply, since disks move between systems; those for Windows
 * ignore case.
 */
import { fail } from '../../contract/errors.ts';

export interface ExcludePreset {
  readonly name: string;
  /** For a person to choose by. */
  readonly label: string;
  readonly patterns: readonly string[];
  readonly patternsIgnoringCase: readonly string[];
}

export const excludePresets: readonly ExcludePreset[] = [
  {
    name: 'caches',
    label: 'Caches that programs fill again by themselves',
    patterns: [
      // Linux (XDG base directories, Flatpak, Snap)
      '.cache/',
      '.thumbnails/',
      '**/.var/app/*/cache/',
      '**/snap/*/common/.cache/',
      '**/.config/*/Cache/',
      '**/.config/*/Code Cache/',
      '**/.config/*/GPUCache/',
      '**/.config/*/*/Cache/',
      '**/.config/*/*/Code Cache/',
      '**/.config/*/*/GPUCache/',
      '**/.mozilla/firefox/*/cache2/',
      '**/.local/share/baloo/',
      '**/.local/share/tracker/',
      // macOS
      '**/Library/Caches/',
      '**/Library/Application Support/*/Cache/',
      '**/Library/Application Support/*/Code Cache/',
      '**/Library/Application Support/*/GPUCache/',
      '**/Library/Containers/*/Data/Library/Caches/',
      '**/Library/Developer/Xcode/DerivedData/',
    ],
    patternsIgnoringCase: [
      '**/AppData/Local/Microsoft/Windows/INetCache/',
      '**/AppData/Local/Microsoft/Windows/Explorer/thumbcache_*.db',
      '**/AppData/Local/Microsoft/Windows/Explorer/iconcache_*.db',
      '**/AppData/Local/*/*/User Data/*/Cache/',
      '**/AppData/Local/*/*/User Data/*/Code Cache/',
      '**/AppData/Local/*/*/User Data/*/GPUCache/',
      '**/AppData/Local/Mozilla/Firefox/Profiles/*/cache2/',
      '**/AppData/Local/CrashDumps/',
      '**/AppData/Roaming/*/Cache/',
      '**/AppData/Roaming/*/Code Cache/',
      '**/AppData/Roaming/*/GPUCache/',
    ],
  },
  {
    name: 'temporary',
    label: 'Temporary files, locks of open documents and unfinished downloads',
    patterns: ['.~lock.*#', '~$*', '.*.sw[op]', '.#*', '.goutputstream-*', '.nfs[0-9a-f]*', '*.crdownload', '.com.google.Chrome.*'],
    patternsIgnoringCase: ['*.tmp', '**/AppData/Local/Temp/', '**/Windows/Temp/'],
  },
  {
    name: 'trash',
    label: 'The trash and recycle bins',
    patterns: ['**/.local/share/Trash/', '.Trash/', '.Trash-[0-9]*/', '.Trashes/'],
    patternsIgnoringCase: ['$RECYCLE.BIN/', 'RECYCLER/'],
  },
  {
    name: 'node_modules',
    label: 'Downloaded JavaScript packages (node_modules)',
    patterns: ['node_modules/', '.pnpm-store/', '**/.npm/_cacache/', '**/.yarn/cache/'],
    patternsIgnoringCase: [],
  },
  {
    name: 'python',
    label: 'Compiled Python files, test environments and tool caches',
    patterns: ['__pycache__/', '*.pyc', '.mypy_cache/', '.pytest_cache/', '.ruff_cache/', '.tox/', '.nox/', '.ipynb_checkpoints/'],
    patternsIgnoringCase: [],
  },
  {
    name: 'toolchains',
    label: 'Downloaded packages of Rust, Go, Java and Gradle',
    patterns: [
      '**/.cargo/registry/',
      '**/.cargo/git/',
      '**/.rustup/toolchains/',
      '**/go/pkg/mod/',
      '**/.m2/repository/',
      '**/.gradle/caches/',
    ],
    patternsIgnoringCase: [],
  },
  {
    name: 'system',
    label: 'Files that the operating system makes for itself',
    patterns: ['.DS_Store', '.Spotlight-V100/', '.fseventsd/', '.DocumentRevisions-V100/', '.TemporaryItems/', '.apdisk', '.gvfs/'],
    patternsIgnoringCase: ['Thumbs.db', 'System Volume Information/', 'pagefile.sys', 'hiberfil.sys', 'swapfile.sys', 'DumpStack.log.tmp'],
  },
];

/** @throws `bad-usage` for a name that no preset has */
export function excludePreset(name: string): ExcludePreset {
  return (
    excludePresets.find((preset) => preset.name === name) ??
    fail('bad-usage', {
      problem: `There is no set of excludes named “${name}”.`,
      guidance: `Choose from: ${excludePresets.map((preset) => preset.name).join(', ')}.`,
    })
  );
}

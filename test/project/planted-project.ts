import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

interface Finding {
  filename: string;
  code: string;
  message: string;
}

/** A scratch project with the real lint configuration and files of a test's own, looked at in one run. */
export class PlantedProject {
  readonly #folder = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
  readonly #findings = new Map<string, string[]>();
  #count = 0;
  exitCode: number | null = null;

  constructor() {
    cpSync(join(root, '.oxlintrc.json'), join(this.#folder, '.oxlintrc.json'));
    cpSync(join(root, 'scripts/lint'), join(this.#folder, 'scripts/lint'), { recursive: true });
    this.plant('package.json', '{ "type": "module" }\n');
    this.plant('tsconfig.json', '{ "compilerOptions": { "module": "nodenext", "strict": true, "types": [] } }\n');
  }

  plant(file: string, text: string): void {
    mkdirSync(dirname(join(this.#folder, file)), { recursive: true });
    writeFileSync(join(this.#folder, file), text);
  }

  /** Plants `text` under a name of its own in `folder`; gives the file. */
  plantIn(folder: string, text: string): string {
    this.#count += 1;
    const file = `${folder}/planted-${this.#count}.ts`;
    this.plant(file, text);
    return file;
  }

  lint(): void {
    const args = ['--type-aware', '--deny-warnings', '-f', 'json'];
    const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/oxlint'), args, {
      cwd: this.#folder,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    this.exitCode = status;
    if (!stdout.includes('"diagnostics"')) throw new Error(`oxlint gave no report: ${stdout}${stderr}`);
    const { diagnostics } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { diagnostics: Finding[] };
    for (const { filename, code, message } of diagnostics) {
      this.#findings.set(filename, [...this.found(filename), `${code}: ${message}`]);
    }
  }

  /** What the linter said about one file. */
  found(file: string): string[] {
    return this.#findings.get(file) ?? [];
  }

  /** What it said about all of them. */
  all(): string[] {
    return [...this.#findings].flatMap(([file, findings]) => findings.map((finding) => `${file}: ${finding}`));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

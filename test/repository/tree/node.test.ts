import { describe, expect, it } from 'vitest';
import { goMode, nodeType, unixMode } from '../../../src/repository/tree/node.ts';

const modes = [
  ['file', 0o100644, 0o644],
  ['dir', 0o040755, 2_147_484_141],
  ['symlink', 0o120777, 134_218_239],
  ['dev', 0o060660, 0x400_0000 + 0o660],
  ['chardev', 0o020666, 0x420_0000 + 0o666],
  ['fifo', 0o010600, 0x200_0000 + 0o600],
  ['socket', 0o140755, 0x100_0000 + 0o755],
] as const;

describe('a mode', () => {
  it.each(modes)('of a %s has the bits of Go', (type, stMode, mode) => {
    expect(nodeType(stMode)).toBe(type);
    expect(goMode(stMode)).toBe(mode);
    expect(unixMode(mode, type)).toBe(stMode);
  });

  it('keeps setuid, setgid and sticky through all 4096 permissions', () => {
    expect(goMode(0o104755)).toBe(0x80_0000 + 0o755);
    expect(goMode(0o102755)).toBe(0x40_0000 + 0o755);
    expect(goMode(0o041777)).toBe(0x8000_0000 + 0x10_0000 + 0o777);
    for (const [type, stMode] of modes) {
      for (let bits = 0; bits < 0o10000; bits++) {
        const whole = (stMode & 0o170000) | bits;
        expect(unixMode(goMode(whole), type)).toBe(whole);
      }
    }
  });

  it('of a kind that POSIX does not know is irregular', () => {
    expect(nodeType(0o150644)).toBe('irregular');
    expect(goMode(0o150644)).toBe(0x8_0000 + 0o644);
  });
});

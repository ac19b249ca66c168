/** Where the window was, kept over restarts. Pure but for reading and writing the file. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { replaceFile } from '../../src/platform/replace-file.ts';

/** In the pixels that the system counts in. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const usualSize = { width: 1080, height: 720 } as const;
export const smallestSize = { width: 400, height: 480 } as const;

const keptSchema = z.strictObject({
  bounds: z.strictObject({ x: z.int(), y: z.int(), width: z.int().positive(), height: z.int().positive() }),
  isMaximized: z.boolean(),
});
export type WindowState = z.infer<typeof keptSchema>;

/** Undefined at the first start, and when what is kept cannot be read. */
export function readWindowState(file: string): WindowState | undefined {
  try {
    return keptSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Never fails: where it cannot be kept, the window opens as it was before. */
export function writeWindowState(file: string, state: WindowState): void {
  try {
    replaceFile(file, JSON.stringify(state));
  } catch {
    // Nothing but the place of a window is lost.
  }
}

/** How much of the window's top edge must be on a screen for a person to get hold of it. */
const grip = { width: 120, height: 40 } as const;

/**
 * Where to open a window that was at `kept`: there, if a person could get hold of it on one of the screens; else as large as it was, as
 * far as it fits, in the middle of the first screen.
 *
 * @param screens what of each screen is free for windows, the main one first
 */
export function fitToScreens(kept: Rectangle | undefined, screens: readonly Rectangle[]): Rectangle {
  const [main] = screens;
  const wanted = kept ?? { x: 0, y: 0, ...usualSize };
  if (!main) return wanted;
  const home = (kept && screens.find((screen) => canBeHeld(kept, screen))) ?? main;
  const width = Math.min(Math.max(wanted.width, smallestSize.width), home.width);
  const height = Math.min(Math.max(wanted.height, smallestSize.height), home.height);
  if (kept && canBeHeld(kept, home)) return { x: kept.x, y: Math.max(kept.y, home.y), width, height };
  return { x: Math.round(home.x + (home.width - width) / 2), y: Math.round(home.y + (home.height - height) / 2), width, height };
}

function canBeHeld(window: Rectangle, screen: Rectangle): boolean {
  const across = Math.min(window.x + window.width, screen.x + screen.width) - Math.max(window.x, screen.x);
  return across >= grip.width && window.y >= screen.y - grip.height / 2 && window.y <= screen.y + screen.height - grip.height;
}

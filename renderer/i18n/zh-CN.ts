/** 全部简体中文文本。 */
import type en from './en.ts';
import type { Texts } from './texts.ts';
import { advice } from './zh-CN/advice.ts';
import { connect } from './zh-CN/connect.ts';
import { errors } from './zh-CN/errors.ts';
import { files } from './zh-CN/files.ts';
import { firstRun } from './zh-CN/firstRun.ts';
import { frame } from './zh-CN/frame.ts';
import { history } from './zh-CN/history.ts';
import { home } from './zh-CN/home.ts';
import { kit } from './zh-CN/kit.ts';
import { restore } from './zh-CN/restore.ts';
import { schedule } from './zh-CN/schedule.ts';
import { ui } from './zh-CN/ui.ts';

export default {
  advice,
  connect,
  errors,
  files,
  firstRun,
  frame,
  history,
  home,
  kit,
  restore,
  schedule,
  ui,
} satisfies Texts<Omit<typeof en, 'errors'>> & { errors: object };

/** 全部简体中文文本。 */
import type en from './en.ts';
import type { Texts } from './texts.ts';
import { connect } from './zh-CN/connect.ts';
import { errors } from './zh-CN/errors.ts';
import { files } from './zh-CN/files.ts';
import { frame } from './zh-CN/frame.ts';
import { history } from './zh-CN/history.ts';
import { home } from './zh-CN/home.ts';
import { restore } from './zh-CN/restore.ts';
import { schedule } from './zh-CN/schedule.ts';
import { ui } from './zh-CN/ui.ts';

export default {
  connect,
  errors,
  files,
  frame,
  history,
  home,
  restore,
  schedule,
  ui,
} satisfies Texts<typeof en>;

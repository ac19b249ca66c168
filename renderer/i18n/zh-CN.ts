/** 全部简体中文文本。 */
import type en from './en.ts';
import type { Texts } from './texts.ts';
import { errors } from './zh-CN/errors.ts';
import { files } from './zh-CN/files.ts';
import { history } from './zh-CN/history.ts';
import { restore } from './zh-CN/restore.ts';
import { frame } from './zh-CN/frame.ts';
import { ui } from './zh-CN/ui.ts';
import { home } from './zh-CN/home.ts';
import { schedule } from './zh-CN/schedule.ts';

export default { frame, ui, home, schedule, files, restore, history, errors } satisfies Texts<typeof en>;

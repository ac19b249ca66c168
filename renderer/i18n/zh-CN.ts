/** 全部简体中文文本。 */
import type en from './en.ts';
import type { Texts } from './texts.ts';
import { advice } from './zh-CN/advice.ts';
import { capacity } from './zh-CN/capacity.ts';
import { connect } from './zh-CN/connect.ts';
import { destinations } from './zh-CN/destinations.ts';
import { errors } from './zh-CN/errors.ts';
import { files } from './zh-CN/files.ts';
import { firstRun } from './zh-CN/firstRun.ts';
import { frame } from './zh-CN/frame.ts';
import { history } from './zh-CN/history.ts';
import { home } from './zh-CN/home.ts';
import { kit } from './zh-CN/kit.ts';
import { plans } from './zh-CN/plans.ts';
import { protectedTexts } from './zh-CN/protected.ts';
import { restore } from './zh-CN/restore.ts';
import { schedule } from './zh-CN/schedule.ts';
import { settings } from './zh-CN/settings.ts';
import { ui } from './zh-CN/ui.ts';

export default {
  advice,
  capacity,
  connect,
  destinations,
  errors,
  files,
  firstRun,
  frame,
  history,
  home,
  kit,
  plans,
  protected: protectedTexts,
  restore,
  schedule,
  settings,
  ui,
} satisfies Texts<Omit<typeof en, 'errors'>> & { errors: object };

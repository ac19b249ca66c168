/** All English texts. */
import { advice } from './en/advice.ts';
import { capacity } from './en/capacity.ts';
import { connect } from './en/connect.ts';
import { destinations } from './en/destinations.ts';
import { errors } from './en/errors.ts';
import { files } from './en/files.ts';
import { firstRun } from './en/firstRun.ts';
import { frame } from './en/frame.ts';
import { history } from './en/history.ts';
import { home } from './en/home.ts';
import { kit } from './en/kit.ts';
import { plans } from './en/plans.ts';
import { protectedTexts } from './en/protected.ts';
import { restore } from './en/restore.ts';
import { schedule } from './en/schedule.ts';
import { settings } from './en/settings.ts';
import { ui } from './en/ui.ts';

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
};

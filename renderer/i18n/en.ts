/** All English texts. */
import { connect } from './en/connect.ts';
import { errors } from './en/errors.ts';
import { files } from './en/files.ts';
import { frame } from './en/frame.ts';
import { history } from './en/history.ts';
import { home } from './en/home.ts';
import { restore } from './en/restore.ts';
import { schedule } from './en/schedule.ts';
import { ui } from './en/ui.ts';

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
};

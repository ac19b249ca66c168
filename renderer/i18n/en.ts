/** All English texts. */
import { errors } from './en/errors.ts';
import { files } from './en/files.ts';
import { history } from './en/history.ts';
import { restore } from './en/restore.ts';
import { frame } from './en/frame.ts';
import { ui } from './en/ui.ts';
import { home } from './en/home.ts';
import { schedule } from './en/schedule.ts';

export default { frame, ui, home, schedule, files, restore, history, errors };

/** All English texts. */
import { errors } from './en/errors.ts';
import { frame } from './en/frame.ts';
import { ui } from './en/ui.ts';
import { home } from './en/home.ts';

export default { frame, ui, home, errors };

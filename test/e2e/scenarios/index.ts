import type { Scenario } from '../scenario';
import { argumentRows } from './arguments';
import { configDialogs } from './config-dialogs';
import { dialogs } from './dialogs';
import { looks } from './looks';
import { mainJob } from './main-job';
import { newcomer } from './newcomer';
import { palette } from './palette';
import { pickers } from './pickers';
import { pictures } from './pictures';
import { python } from './python';
import { secured } from './secured';
import { tasks } from './tasks';

/** All of them, in the order in which they are played. */
export const scenarios: readonly Scenario[] = [
  ...palette,
  ...newcomer,
  ...dialogs,
  ...configDialogs,
  ...argumentRows,
  ...python,
  ...tasks,
  ...pickers,
  ...mainJob,
  ...looks,
  ...secured,
  ...pictures,
];

/** Node-RED in a process of its own; see node-red.ts beside this. */
import type { EventEmitter } from 'node:events';
import { type RunningNodeRed, startNodeRed } from '../../../tools/start/node-red';

const watched = new Set<string>();
let red: RunningNodeRed | undefined;

process.on('message', (ids: string[]) => {
  watched.clear();
  for (const id of ids) watched.add(id);
  process.send?.({ watching: true });
});

process.on('disconnect', () => {
  void red?.stop().finally(() => process.exit());
});

const runtime = process.env.NR_PKG ?? 'node-red';
const { events } = require(runtime) as { events: EventEmitter };
events.on('flows:started', () => process.send?.({ started: true }));

startNodeRed(
  { package: runtime, userDir: process.argv[2] ?? '', port: 0 },
  {
    log: ({ level, msg }) => {
      if (level <= 30) process.send?.({ complaint: String(msg) });
    },
    sent: (_from, to, msg) => {
      for (const id of to) if (watched.has(id)) process.send?.({ id, msg });
    },
  },
).then((running) => {
  red = running;
  process.send?.({ url: running.url });
});

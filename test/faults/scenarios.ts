/** What can happen to a flow with 1000 messages under way. In none of it may one be lost. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { FlowVariant } from './flow';
import type { Load, Scenario } from './scenario';

/** Edits one node, so that a deploy of any type restarts it. */
function edit(id: string, properties: Readonly<Record<string, unknown>>): FlowVariant {
  return { properties: { [id]: properties } };
}

const DEPLOYS = ['full', 'flows', 'nodes'] as const;

function deploys(fault: string, ...edits: FlowVariant[]): Scenario[] {
  return DEPLOYS.map((deploy) => ({
    fault,
    deploy,
    disturb: async (load) => {
      let { flow } = load;
      for (const change of edits) {
        flow = flow.changed(change);
        await load.deploy(deploy, flow);
      }
    },
  }));
}

/** Process ids of the workers of a Node-RED, which work in its user directory. */
function workersOf(load: Load): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isWorkerIn(pid, load.nodeRed.userDir))
    .map(Number);
}

function isWorkerIn(pid: string, folder: string): boolean {
  try {
    return (
      readlinkSync(`/proc/${pid}/cwd`) === folder && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker.py')
    );
  } catch {
    return false; // It has ended meanwhile.
  }
}

export const SCENARIOS: readonly Scenario[] = [
  ...deploys('node renamed', edit('run', { name: 'renamed' })),
  ...deploys('node moved', edit('run', { x: 500, y: 500 })),
  ...deploys(
    'deployed three times',
    edit('run', { name: 'a' }),
    edit('run', { name: 'b' }),
    edit('run', { name: 'c' }),
  ),
  ...deploys('client settings changed', edit('client', { timeLimit: '60', name: 'other' })),
  ...deploys('flow disabled and enabled', edit('tab', { disabled: true }), edit('tab', { disabled: false })),
  ...deploys('node deleted (results node)', {
    without: ['run'],
    more: [
      {
        id: 'heir',
        type: 'funcx-results',
        z: 'tab',
        x: 100,
        y: 100,
        name: '',
        client: 'client',
        from: 'client',
        inputs: 0,
        order: 'completed',
        tasks: '',
        tasksType: 'msg',
        target: 'payload',
        wires: [['result']],
      },
    ],
  }),
  { fault: 'Node-RED stopped (SIGTERM)', deploy: '-', disturb: (load) => load.restart('SIGTERM') },
  { fault: 'Node-RED killed (SIGKILL)', deploy: '-', disturb: (load) => load.restart('SIGKILL') },
  {
    fault: 'killed three times',
    deploy: '-',
    disturb: async (load) => {
      for (const part of [0.2, 0.4, 0.6]) {
        await load.arrived(Math.floor(load.messages * part));
        await load.restart('SIGKILL');
      }
    },
  },
  {
    fault: 'killed while a client opens',
    deploy: '-',
    opening: true,
    disturb: (load) => load.restart('SIGKILL'),
  },
  {
    fault: 'killed when it has opened',
    deploy: '-',
    opening: true,
    disturb: async (load) => {
      load.python.release();
      await load.arrived(1);
      await load.restart('SIGKILL');
    },
  },
  ...DEPLOYS.map((deploy) => ({
    fault: 'deployed and killed meanwhile',
    deploy,
    opening: true,
    disturb: async (load: Load) => {
      const deployed = load.deploy(deploy, load.flow.changed(edit('run', { name: 'renamed' })));
      // A deploy that restarts the client waits for it to open, and ends with Node-RED.
      if (deploy === 'full') deployed.catch(() => {});
      else await deployed;
      await load.restart('SIGKILL');
    },
  })),
  {
    fault: 'stopped while a client opens',
    deploy: '-',
    opening: true,
    disturb: (load) => load.restart('SIGTERM'),
  },
  {
    fault: 'a worker killed',
    deploy: '-',
    disturb: async (load) => {
      const [worker] = workersOf(load);
      if (worker === undefined) throw new Error('There is no worker to kill.');
      process.kill(worker, 'SIGKILL');
    },
  },
  {
    fault: 'all workers killed',
    deploy: '-',
    disturb: async (load) => {
      const workers = workersOf(load);
      if (workers.length === 0) throw new Error('There is no worker to kill.');
      for (const worker of workers) process.kill(worker, 'SIGKILL');
    },
  },
  {
    fault: 'all workers and Node-RED',
    deploy: '-',
    disturb: async (load) => {
      for (const worker of workersOf(load)) process.kill(worker, 'SIGKILL');
      await load.restart('SIGKILL');
    },
  },
];

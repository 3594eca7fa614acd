/** A Node-RED in this process, for this machine only. */
import { createServer } from 'node:http';
import { HOST, listen } from './port';
import { FLOW_FILE, secretOf } from './user-folder';

/** A line of Node-RED's log. */
export interface LogEntry {
  readonly level: number;
  readonly msg: unknown;
  /** Of the node that wrote it, if one did. */
  readonly type?: string;
  readonly name?: string;
  readonly id?: string;
}

/** Node-RED's numbers for how serious a line of the log is. */
export const LEVELS = { error: 20, warn: 30, info: 40 } as const;

export type Message = Readonly<Record<string, unknown>>;

export interface Listeners {
  log(entry: LogEntry): void;
  /** Told of every message that leaves a node, with the ids of that node and of those it goes to. */
  sent(from: string, to: readonly string[], msg: Message): void;
}

export interface NodeRedOptions {
  /** The package to run. @default 'node-red' */
  readonly package?: string | undefined;
  readonly userDir: string;
  /** Undefined: 1880, or the next that is free. */
  readonly port: number | undefined;
}

export interface RunningNodeRed {
  readonly url: string;
  stop(): Promise<void>;
}

/** A message on its way to one node, as Node-RED's hook `onSend` shows it. */
interface SendEvent {
  readonly msg: Message;
  readonly source: { readonly id: string };
  readonly destination: { readonly id: string };
}

/** What is used of the module `node-red`; the types that there are for it are of version 1.3. */
interface NodeRedModule {
  init(server: unknown, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly httpAdmin: RequestHandler;
  readonly httpNode: RequestHandler;
  readonly hooks: { add(hook: string, listener: (events: readonly SendEvent[]) => void): void };
}

type RequestHandler = (request: unknown, response: unknown, next: () => void) => void;

export async function startNodeRed(options: NodeRedOptions, listeners: Listeners): Promise<RunningNodeRed> {
  const { userDir } = options;
  const red = require(options.package ?? 'node-red') as NodeRedModule;
  const server = createServer((request, response) => {
    red.httpAdmin(request, response, () => red.httpNode(request, response, () => response.writeHead(404).end()));
  });
  const uiPort = await listen(server, options.port);
  red.init(server, {
    userDir,
    flowFile: FLOW_FILE,
    uiHost: HOST,
    uiPort,
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    credentialSecret: secretOf(userDir),
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false } },
    logging: { start: { level: 'info', handler: () => listeners.log } },
  });
  red.hooks.add('onSend.start', (events) => tellOf(events, listeners));
  await red.start();
  return {
    url: `http://${HOST}:${uiPort}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await red.stop();
    },
  };
}

/** A message that goes to several nodes is one event for each of them. */
function tellOf(events: readonly SendEvent[], listeners: Listeners): void {
  for (const msg of new Set(events.map((event) => event.msg))) {
    const same = events.filter((event) => event.msg === msg);
    const [first] = same;
    if (first === undefined) continue;
    listeners.sent(
      first.source.id,
      same.map((event) => event.destination.id),
      msg,
    );
  }
}

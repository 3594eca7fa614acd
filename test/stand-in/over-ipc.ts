/** A service in another process, which outlives the client: both ends of a channel between parent and child. */
import type { ChildProcess } from 'node:child_process';
import { FuncXError, ServiceError } from '../../dist/lib/compute/errors.js';
import type { TaskGroupId, TaskId } from '../../dist/lib/compute/ids.js';
import type { ComputeService, ResultStream, TaskStatus } from '../../dist/lib/compute/service.js';
import type { StandIn } from './service.js';

type Method = 'submit' | 'batchStatus' | 'durable';

/** From the child: a request, a wish to hear of results, or an acknowledgement. */
type ToService =
  | { readonly request: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly follow: TaskGroupId }
  | { readonly ack: readonly TaskId[]; readonly group: TaskGroupId };

type FromService =
  | { readonly reply: number; readonly value: unknown }
  | { readonly reply: number; readonly error: { code: string; message: string; httpStatus: number | undefined } }
  | { readonly group: TaskGroupId; readonly results: readonly TaskStatus[] };

/** Has a stand-in serve a child for as long as that lives. */
export function serveChild(standIn: StandIn, child: ChildProcess): void {
  const streams = new Map<TaskGroupId, ResultStream>();
  const send = (message: FromService) => {
    if (child.connected) child.send(message, () => {});
  };
  child.on('message', (message: ToService) => {
    if ('follow' in message) {
      const { follow: group } = message;
      streams.set(
        group,
        standIn.results(group, (results) => send({ group, results })),
      );
    } else if ('ack' in message) streams.get(message.group)?.ack(message.ack);
    else if ('request' in message) {
      const { request: reply, method, args } = message;
      (standIn[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args).then(
        (value) => send({ reply, value }),
        (error) => send({ reply, error: { code: error.code, message: error.message, httpStatus: error.httpStatus } }),
      );
    }
  });
  child.once('exit', () => {
    for (const stream of streams.values()) stream.close();
  });
}

/** The service of the parent, in the child. */
export function serviceOfParent(): ComputeService {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const listeners = new Map<TaskGroupId, (results: readonly TaskStatus[]) => void>();
  let requests = 0;
  const send = (message: ToService) => process.send?.(message);
  process.on('message', (message: FromService) => {
    if ('results' in message) listeners.get(message.group)?.(message.results);
    else if ('reply' in message) {
      const request = waiting.get(message.reply);
      waiting.delete(message.reply);
      if ('error' in message) request?.reject(errorOf(message.error));
      else request?.resolve(message.value);
    }
  });
  const ask =
    (method: Method) =>
    (...args: readonly unknown[]) =>
      new Promise<never>((resolve, reject) => {
        waiting.set(++requests, { resolve: resolve as (value: unknown) => void, reject });
        send({ request: requests, method, args });
      });
  const service: Partial<ComputeService> = {
    capabilities: { rawBytes: false, cancel: false, search: false },
    submit: ask('submit'),
    batchStatus: ask('batchStatus'),
    durable: ask('durable'),
    results: (group, listener) => {
      listeners.set(group, listener);
      send({ follow: group });
      return { ack: (ids) => send({ ack: ids, group }), close: () => listeners.delete(group) };
    },
  };
  return service as ComputeService;
}

function errorOf({ code, message, httpStatus }: { code: string; message: string; httpStatus: number | undefined }) {
  return httpStatus === undefined ? new FuncXError(code, message) : new ServiceError(code, httpStatus, message);
}

/** What the dialogs ask of the runtime. Routes are below the editor's root; each needs a permission. */
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { FuncXError, InputError } from '../../lib/compute/errors.js';
import type { EndpointId } from '../../lib/compute/ids.js';
import { findPython, inspectSource, type PythonInfo } from '../../lib/hub/interpreter.js';
import type { ClientNode } from './types.js';

/** Functions offered by a picker at once. */
const MAX_FUNCTIONS = 100;

/** Interpreters that were found, so that source is checked on every keystroke without looking for Python again. */
const found = new Map<string, Promise<PythonInfo>>();

export function addRoutes(RED: NodeAPI): void {
  const { httpAdmin, auth } = RED;
  const read = auth.needsPermission('funcx-client.read');
  // Naming an interpreter starts it, which reading alone must not allow.
  const named = auth.needsPermission('funcx-client.write');

  httpAdmin.get(
    '/funcx/python',
    (req, res, next) => (pathIn(req.query.path) === '' ? read : named)(req, res, next),
    answering(async (req) => {
      try {
        const { executable, version, dill } = await interpreter(resolved(pathIn(req.query.path)), true);
        return { found: true, executable, version, dill };
      } catch (error) {
        return { found: false, message: messageOf(error) };
      }
    }),
  );

  httpAdmin.post(
    '/funcx/inspect',
    auth.needsPermission('funcx-function.write'),
    answering(async (req) => {
      const { python, client, code } = (req.body ?? {}) as Record<string, unknown>;
      if (typeof code !== 'string') throw new InputError('code: the source text of a function is expected.');
      const path = pathIn(python) || (typeof client === 'string' ? clientNode(RED, client)?.python : '') || '';
      const { executable } = await interpreter(resolved(path));
      return inspectSource(executable, code);
    }),
  );

  httpAdmin.get(
    '/funcx/functions',
    read,
    answering((req) =>
      deployed(RED, req.query.client).borrow((client) =>
        client.searchFunctions(typeof req.query.q === 'string' ? req.query.q : '', { offset: 0, limit: MAX_FUNCTIONS }),
      ),
    ),
  );

  httpAdmin.get(
    '/funcx/counts',
    read,
    answering(async (req) => deployed(RED, req.query.client).counts() ?? {}),
  );

  httpAdmin.get(
    '/funcx/endpoints',
    read,
    answering((req) =>
      deployed(RED, req.query.client).borrow(async ({ service }) => {
        const endpoints = await service.listEndpoints();
        return Promise.all(
          endpoints.map(async ({ uuid, name, display_name }) => {
            const { status } = await service.endpointStatus(uuid as EndpointId);
            return { uuid, name, display_name, status };
          }),
        );
      }),
    ),
  );
}

/** Answers with JSON; an error becomes a status and a message for a person. */
function answering(answer: (req: Request) => Promise<unknown>): RequestHandler {
  return async (req: Request, res: Response) => {
    try {
      res.json(await answer(req));
    } catch (error) {
      res
        .status(statusOf(error))
        .json({ message: messageOf(error), ...(error instanceof FuncXError && { code: error.code }) });
    }
  };
}

function statusOf(error: unknown): number {
  if (error instanceof NotDeployed) return 404;
  if (error instanceof InputError) return 400;
  return error instanceof FuncXError && error.code === 'PYTHON_NOT_FOUND' ? 503 : 500;
}

class NotDeployed extends FuncXError {
  constructor(id: string) {
    super('CLIENT_NOT_FOUND', `The client ${id} is not deployed. Deploy the flow first.`);
  }
}

function deployed(RED: NodeAPI, id: unknown): ClientNode {
  const node = typeof id === 'string' ? clientNode(RED, id) : undefined;
  if (node === undefined) throw new NotDeployed(String(id ?? ''));
  return node;
}

function clientNode(RED: NodeAPI, id: string): ClientNode | undefined {
  const node = RED.nodes.getNode(id) as ClientNode | null | undefined;
  return node?.type === 'funcx-client' ? node : undefined;
}

function pathIn(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** A path that is the name of an environment variable, as Node-RED allows in every field: its value. */
function resolved(path: string): string {
  const name = /^\$\{([^}]+)\}$/.exec(path)?.[1];
  return name === undefined ? path : (process.env[name] ?? '');
}

function interpreter(path: string, afresh = false): Promise<PythonInfo> {
  const known = afresh ? undefined : found.get(path);
  if (known !== undefined) return known;
  const looking = findPython(path);
  found.set(path, looking);
  looking.catch(() => found.delete(path));
  return looking;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A hub that is served over HTTP to users of its own. */
import assert from 'node:assert/strict';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { type AppOptions, createApp } from '../../../../dist/lib/hub/http/app.js';
import {
  type ClientCredentials,
  type FunctionId,
  type LocalEndpointOptions,
  packBuffers,
} from '../../../../dist/lib/index.js';
import { Lab } from '../fixture.js';

/** Source: Globus SDK for Python 4.9, `scopes/data`. */
export const COMPUTE_SCOPE = 'https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Answer {
  readonly status: number;
  readonly headers: LightMyRequestResponse['headers'];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

/** Somebody who uses the hub from outside. */
export class User {
  constructor(
    readonly credentials: ClientCredentials,
    readonly token: string,
    readonly send: (request: InjectOptions) => Promise<Answer>,
  ) {}

  get id(): string {
    return this.credentials.clientId;
  }

  request(method: Method, url: string, body?: object): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.token}` };
    return this.send({ method, url, headers, ...(body !== undefined && { payload: body }) });
  }

  async get(url: string, status = 200): Promise<Answer['body']> {
    return expectStatus(await this.request('GET', url), status);
  }

  async post(url: string, body: object, status = 200): Promise<Answer['body']> {
    return expectStatus(await this.request('POST', url, body), status);
  }

  async register(source: string, more: object = {}): Promise<FunctionId> {
    return (await this.post('/v3/functions', { ...registration(source), ...more })).function_uuid;
  }
}

function expectStatus(answer: Answer, status: number): Answer['body'] {
  assert.equal(answer.status, status, answer.text);
  return answer.body;
}

export class HttpLab {
  private constructor(
    readonly lab: Lab,
    readonly app: FastifyInstance,
    /** What should not have happened. */
    readonly faults: Error[],
  ) {}

  /** A hub with a public pool of two workers. */
  static async open(
    options: Partial<Omit<AppOptions, 'hub'>> = {},
    pool: Partial<LocalEndpointOptions> = {},
  ): Promise<HttpLab> {
    const lab = await Lab.open({ public: true, ...pool });
    const faults: Error[] = [];
    const onFault = (error: Error) => faults.push(error);
    const app = await createApp({ hub: lab.hub, rateLimit: false, onFault, ...options });
    return new HttpLab(lab, app, faults);
  }

  get endpoint(): string {
    return this.lab.endpoint;
  }

  send = async (request: InjectOptions): Promise<Answer> => {
    const { statusCode, headers, body } = await this.app.inject(request);
    return { status: statusCode, headers, text: body, body: parsed(body) };
  };

  async user(name: string, groups: readonly string[] = []): Promise<User> {
    const credentials = await this.lab.hub.issueClient(name, { groups });
    const { body } = await this.signIn(credentials);
    return new User(credentials, body.access_token, this.send);
  }

  signIn({ clientId, clientSecret }: ClientCredentials, form: Record<string, string> = {}): Promise<Answer> {
    const fields = new URLSearchParams({ grant_type: 'client_credentials', scope: COMPUTE_SCOPE, ...form });
    return this.form('/v2/oauth2/token', fields, basic(clientId, clientSecret));
  }

  form(url: string, fields: URLSearchParams, authorization?: string): Promise<Answer> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(authorization !== undefined && { authorization }),
    };
    return this.send({ method: 'POST', url, headers, payload: fields.toString() });
  }

  async clean(): Promise<void> {
    await this.app.close();
    await this.lab.clean();
    assert.deepEqual(this.faults, [], 'something went wrong in the hub');
  }
}

export function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}

/** A function of one source, named as its first `def`, as the SDK 4.15 registers it. */
export function registration(source: string): {
  function_name: string;
  function_code: string;
  meta: { python_version: string; sdk_version: string; serde_identifier: string };
} {
  const [, name = 'f'] = /def (\w+)/.exec(source) ?? [];
  return {
    function_name: name,
    function_code: packBuffers([`st\n${name}:${source}`]),
    meta: { python_version: '3.11.2', sdk_version: '4.15.0', serde_identifier: 'st' },
  };
}

/** Packed arguments, positional. */
export function packed(...args: unknown[]): string {
  return packBuffers([`11\n${JSON.stringify(args)}`, '11\n{}']);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

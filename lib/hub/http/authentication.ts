/** Nothing is answered to who shows no token; and with one, only what the token is for. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Token, TokenBook } from '../tokens.js';
import { insufficientScope, unauthenticated } from './errors.js';
import type { ResourceServer } from './scopes.js';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request was let in with; undefined where no token was asked for. */
    token: Token | undefined;
  }
}

/** A hook for all operations of a resource server. */
export function authenticate(tokens: TokenBook, server: ResourceServer) {
  return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    request.token = presented(tokens, request, server);
  };
}

function presented(tokens: TokenBook, request: FastifyRequest, server: ResourceServer): Token {
  const [, text] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  const token = text === undefined ? undefined : tokens.verify(text);
  if (token === undefined) throw unauthenticated();
  if (token.resourceServer !== server.name) throw insufficientScope(server.scopes[0]);
  return token;
}

/** The token of a request that was authenticated. */
export function tokenOf(request: FastifyRequest): Token {
  if (request.token === undefined) throw unauthenticated();
  return request.token;
}

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const HOST = '127.0.0.1';

const FIRST_PORT = 1880;
const TRIES = 100;

/**
 * Makes the server listen, for this machine only.
 *
 * @param port undefined: 1880, or the next that is free; 0: any that is free
 * @returns the port
 * @throws Error when the port is taken
 */
export async function listen(server: Server, port: number | undefined): Promise<number> {
  const first = port ?? FIRST_PORT;
  const last = port ?? FIRST_PORT + TRIES - 1;
  for (let candidate = first; candidate <= last; candidate++) {
    try {
      server.listen(candidate, HOST);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(
    port === undefined
      ? `No port from ${FIRST_PORT} to ${last} is free. Name another: npm start -- --port N`
      : `Port ${port} is taken. Leave --port away to get a free one.`,
  );
}

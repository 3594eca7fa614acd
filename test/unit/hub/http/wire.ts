/** HTTP by hand, for requests that no client would send. */
import { once } from 'node:events';
import net from 'node:net';

/** A connection on which any bytes can be sent. */
export class Wire {
  received = '';
  readonly closed: Promise<unknown>;

  private constructor(readonly socket: net.Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.received += text;
    });
    socket.on('error', () => {}); // Told by its close.
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  static async to(port: number, localAddress = '127.0.0.1'): Promise<Wire> {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** Sends lines that end as those of HTTP do. */
  lines(...lines: string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** The next event of a kind, whatever else happens. */
  news(event: 'data' | 'drain'): Promise<unknown> {
    return new Promise((resolve) => this.socket.once(event, resolve));
  }

  /** Status line of the answer that comes first. */
  async status(): Promise<string> {
    while (!this.received.includes('\r\n')) await Promise.race([this.news('data'), this.closed.then(gone)]);
    return this.received.slice(0, this.received.indexOf('\r\n'));
  }
}

function gone(): never {
  throw new Error('The connection was closed without an answer.');
}

/** The bench's own node types: where messages come from, where they end, and the barest node there can be in between. */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';

/** Messages are sent from outside, with `send`. */
export interface SourceNode extends Node {
  updateWires(wires: string[][]): void;
}

export interface SinkNode extends Node {
  /** Told of every message. */
  arrived: (msg: NodeMessage & Record<string, unknown>) => void;
}

export default function register(RED: NodeAPI): void {
  RED.nodes.registerType('bench-source', function (this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
  });

  RED.nodes.registerType('bench-pass', function (this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => {
      send(msg);
      done();
    });
  });

  RED.nodes.registerType('bench-sink', function (this: SinkNode, config: NodeDef) {
    RED.nodes.createNode(this, config);
    this.arrived = () => {};
    this.on('input', (msg, _send, done) => {
      this.arrived(msg as never);
      done();
    });
  });
}

/** A new node takes the client by itself where there is only one. */
export function takeOnlyClient(node: { readonly id: string; readonly z: string; client: string }): void {
  const isNew = RED.nodes.node(node.id) === null || RED.nodes.node(node.id) === undefined;
  if (node.client !== '' || !isNew) return;
  const clients: string[] = [];
  RED.nodes.eachConfig((config) => {
    const isInScope = config.z === undefined || config.z === '' || config.z === node.z;
    if (config.type === 'funcx-client' && isInScope) clients.push(config.id);
  });
  const [only] = clients;
  if (clients.length === 1 && only !== undefined) node.client = only;
}

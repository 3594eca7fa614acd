import { findPython } from '../../dist/lib/hub/interpreter.js';
import type { FlowNode } from './main-job';

/**
 * Looks for the interpreters that the clients of a flow name, so that one that is missing is told before anything starts.
 *
 * @throws FuncXError `PYTHON_NOT_FOUND`, saying what to install
 */
export async function checkPython(flow: string): Promise<void> {
  const clients = (JSON.parse(flow) as FlowNode[]).filter(({ type }) => type === 'funcx-client');
  const named = clients.map(({ python }) => String(python ?? '')).filter((path) => !path.includes('${'));
  await Promise.all([...new Set(named)].map((path) => findPython(path)));
}

import { rmSync } from 'node:fs';
import { relative } from 'node:path';
import { copyPython, publish, removeStale } from './build/assets';
import { localiseDeclarations } from './build/declarations';
import { buildDialog } from './build/dialogs';
import { filesUnder, nodeTypes, staging } from './build/layout';
import { compile } from './build/typescript';
import { bundleVendor } from './build/vendor';

/** Every step runs to its end, so that one build tells all that is wrong and leaves as much as possible usable. */
async function build(): Promise<void> {
  const started = performance.now();
  const types = nodeTypes();
  copyPython();
  const outcomes = await Promise.all([
    compileRuntime(),
    compile('tsconfig.editor.json'),
    ...types.map((type) => buildDialog(type)),
  ]);
  const problems = outcomes.flat();
  const fresh = new Set(filesUnder(staging).map((file) => relative(staging, file)));
  publish();

  if (problems.length === 0) {
    removeStale(fresh);
    console.log(`built ${types.length} node types in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } else {
    console.error(`${problems.join('\n')}\nbuild failed: ${problems.length} problems`);
    process.exitCode = 1;
  }
}

async function compileRuntime(): Promise<string[]> {
  const problems = await compile('tsconfig.json');
  await bundleVendor();
  return [...problems, ...localiseDeclarations()];
}

build()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => rmSync(staging, { recursive: true, force: true }));

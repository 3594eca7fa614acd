import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { dependencies } from '../../package.json';
import { filesUnder, modules, staging } from './layout';

interface BorrowedTypes {
  readonly package: string;
  readonly source: string;
  readonly copy: string;
  /** Name under which the importing file sees the whole source. */
  readonly namespace?: string;
}

/**
 * Types of packages that are not installed with ours but that our own declarations mention. They are copied into the
 * package, so that its types are whole for whoever uses it as a library.
 */
const borrowed: Readonly<Record<string, BorrowedTypes>> = {
  'p-retry': { package: 'p-retry', source: 'index.d.ts', copy: 'p-retry' },
  '@globus/sdk/services/compute': {
    package: '@globus/sdk',
    source: 'dist/esm/open-api/types/compute.d.ts',
    copy: 'globus-compute',
    namespace: 'OpenAPI',
  },
};

export const borrowedPackages = Object.values(borrowed).map((types) => types.package);

const library = join(staging, 'lib');
const folder = join(library, 'borrowed');
const importFrom = /(\bfrom |\bimport\()(['"])([^.'"][^'"]*)\2/g;

/** Copies the borrowed types, points the library's declarations at the copies, and returns what cannot be resolved. */
export function localiseDeclarations(): string[] {
  const problems: string[] = [];
  for (const file of filesUnder(library).filter((path) => path.endsWith('.d.ts'))) {
    const localise = (all: string, before: string, quote: string, specifier: string): string => {
      const types = borrowed[specifier];
      if (types !== undefined) return `${before}${quote}${pathTo(file, types)}${quote}`;
      if (!isInstalledWithUs(specifier)) {
        problems.push(
          `${relative(staging, file)} takes types from ${specifier}, which is no dependency of the package`,
        );
      }
      return all;
    };
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, lines.map((line) => (isComment(line) ? line : line.replace(importFrom, localise))).join('\n'));
  }
  mkdirSync(folder, { recursive: true });
  for (const types of Object.values(borrowed)) writeFileSync(join(folder, `${types.copy}.d.ts`), copyOf(types));
  return problems;
}

function copyOf({ package: name, source, namespace }: BorrowedTypes): string {
  const text = readFileSync(join(modules, name, source), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
  return namespace === undefined ? text : `export declare namespace ${namespace} {\n${text}\n}\n`;
}

function pathTo(file: string, types: BorrowedTypes): string {
  const path = relative(dirname(file), join(folder, `${types.copy}.js`)).replaceAll(sep, '/');
  return path.startsWith('.') ? path : `./${path}`;
}

function isComment(line: string): boolean {
  return /^\s*(\*|\/[/*])/.test(line);
}

function isInstalledWithUs(specifier: string): boolean {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return specifier.startsWith('node:') || builtinModules.includes(specifier) || name in dependencies;
}

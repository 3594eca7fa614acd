/** Python signatures as text. */
import type { FunctionSignature, Parameter, SourceReport } from './server';

/** A signature as Python writes it: `detect(readings, *, limit: float = 3.0)`. */
export function signatureText({ name, async, parameters }: FunctionSignature): string {
  const parts: string[] = [];
  parameters.forEach((parameter, index) => {
    const before = parameters[index - 1];
    if (before?.kind === 'positional-only' && parameter.kind !== 'positional-only') parts.push('/');
    const isFirstKeyword = parameter.kind === 'keyword' && before?.kind !== 'keyword';
    if (isFirstKeyword && before?.kind !== 'var-positional') parts.push('*');
    parts.push(parameterText(parameter));
  });
  if (parameters.at(-1)?.kind === 'positional-only') parts.push('/');
  return `${async ? 'async ' : ''}${name}(${parts.join(', ')})`;
}

/** A parameter's name as a signature shows it: with the stars of `*args` and `**kwargs`. */
export function starredName({ name, kind }: Pick<Parameter, 'name' | 'kind'>): string {
  if (kind === 'var-positional') return `*${name}`;
  return kind === 'var-keyword' ? `**${name}` : name;
}

/** The function that is called: the named one; without a name the last, as the runtime takes it. */
export function entryPointIn(report: SourceReport, name: string): FunctionSignature | undefined {
  if (!report.ok) return undefined;
  return name === '' ? report.functions.at(-1) : report.functions.find((candidate) => candidate.name === name);
}

/** Names of the functions at the top level, by their looks: for when no interpreter can be asked. */
export function namesByLooks(code: string): string[] {
  return [...code.matchAll(/^(?:async[ \t]+)?def[ \t]+([^\s(]+)[ \t]*\(/gm)].map((match) => match[1] ?? '');
}

function parameterText(parameter: Parameter): string {
  const { annotation, default: value } = parameter;
  const name = starredName(parameter);
  if (annotation !== undefined) return `${name}: ${annotation}${value === undefined ? '' : ` = ${value}`}`;
  return value === undefined ? name : `${name}=${value}`;
}

/** The process of Node-RED: starts it, and does what the bench asks for. */
import { Commands } from './commands';
import type { Answer, Question } from './protocol';

const commands = new Commands();

process.on('message', async ({ id, name, args }: Question) => {
  const command = commands[name as keyof Commands] as (...given: readonly unknown[]) => unknown;
  try {
    answer({ id, value: await command.apply(commands, [...args]) });
  } catch (error) {
    answer({ id, error: error instanceof Error ? error.message : String(error) });
  }
});

process.on('disconnect', () => {
  commands.stop().finally(() => process.exit());
});

function answer(given: Answer): void {
  process.send?.(given);
}

import type { Locator } from 'playwright-core';

/** What an element shows as text; what is hidden in it is left out. */
export function textOf(element: Locator): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: this is no DOM node, and hidden text is not wanted
  return element.innerText();
}

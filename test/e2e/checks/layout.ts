import type { Locator } from 'playwright-core';

/** What in a dialog is cut off, lies over something else, or sticks out. */
export async function misplaced(form: Locator): Promise<string[]> {
  return form.evaluate((root) => {
    const found: string[] = [];
    // An icon that is turned takes more room than it fills.
    const slack = 4;
    const edge = root.getBoundingClientRect();
    const shown = [...root.querySelectorAll<HTMLElement>('*')].filter(
      (at) =>
        at.checkVisibility() &&
        at.closest('.monaco-editor, .funcx-unseen') === null &&
        at.getBoundingClientRect().width > 1,
    );
    function nameOf(at: HTMLElement): string {
      return `${at.localName}${at.id && `#${at.id}`}${at.className && `.${at.className}`} "${(at.textContent ?? '').trim().slice(0, 30)}"`;
    }
    for (const at of shown) {
      const { left, right, top } = at.getBoundingClientRect();
      if (top < 0) continue;
      if (left < edge.left - slack || right > edge.right + slack) found.push(`sticks out: ${nameOf(at)}`);
      const { overflowX, textOverflow } = getComputedStyle(at);
      const isCut = at.scrollWidth > at.clientWidth + 1 && overflowX !== 'visible' && textOverflow !== 'ellipsis';
      if (isCut && !at.matches('input, form, .red-ui-editableList-container')) found.push(`cut off: ${nameOf(at)}`);
    }
    for (const label of root.querySelectorAll<HTMLElement>('.form-row > label:first-child')) {
      const field = label.nextElementSibling;
      if (!(field instanceof HTMLElement) || !label.checkVisibility() || !field.checkVisibility()) continue;
      const own = label.getBoundingClientRect();
      const beside = field.getBoundingClientRect();
      const isBelow = beside.top > own.bottom - 4;
      if (!isBelow && label.scrollWidth > label.clientWidth + 1) found.push(`wider than its place: ${nameOf(label)}`);
      if (!isBelow && own.right > beside.left + 1) found.push(`over its field: ${nameOf(label)}`);
      if (own.height > 36) found.push(`broken into lines: ${nameOf(label)}`);
    }
    return found;
  });
}

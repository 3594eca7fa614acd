import type { Locator, Page } from 'playwright-core';

/** What one can work with: fields, buttons, links, and the heading of a folded section. */
const USABLE = 'input:not([type=hidden]), select, textarea, button, summary, a[href]';

const MOST_STEPS = 80;

/** Pages on whose source editors Tab goes on to the next field: it indents, until one presses their own key for that. */
const tabLeavesSource = new WeakSet<Page>();

/** What in a form cannot be reached with the Tab key, starting above it. @param above a button outside of the form */
export async function notReachedByTab(page: Page, form: Locator, above: Locator): Promise<string[]> {
  await form.evaluate((root, usable) => {
    for (const at of root.querySelectorAll<HTMLElement>(usable)) at.removeAttribute('data-e2e-reached');
  }, USABLE);
  await above.focus();
  let wasInside = false;
  for (let step = 0; step < MOST_STEPS; step++) {
    await page.keyboard.press('Tab');
    const where = await form.evaluate((root) => {
      const at = document.activeElement;
      if (at === null || !root.contains(at)) return 'outside';
      const editor = at.closest('.monaco-editor');
      (editor ?? at).setAttribute('data-e2e-reached', '');
      return editor === null ? 'inside' : 'source';
    });
    if (where === 'outside' && wasInside) break;
    wasInside ||= where !== 'outside';
    if (where !== 'source' || tabLeavesSource.has(page)) continue;
    await page.keyboard.press('Control+m');
    tabLeavesSource.add(page);
  }
  return form.evaluate((root, usable) => {
    const inSight = (at: HTMLElement) =>
      at.checkVisibility({ visibilityProperty: true }) && at.getBoundingClientRect().top >= 0;
    const elements = [...root.querySelectorAll<HTMLElement>(usable)].filter(
      (at) => inSight(at) && at.closest('.monaco-editor') === null && !at.matches(':disabled'),
    );
    const editors = [
      ...root.querySelectorAll<HTMLElement>('.monaco-editor[role=code], .node-text-editor > .monaco-editor'),
    ];
    return [...elements, ...editors.filter(inSight)]
      .filter((at) => !at.hasAttribute('data-e2e-reached'))
      .map((at) => `${at.localName}${at.id && `#${at.id}`}.${at.className}`);
  }, USABLE);
}

/** Labels that do not lead to their field, as a click on them shows. */
export async function labelsWithoutField(form: Locator): Promise<string[]> {
  return form.evaluate((root) => {
    const labels = [...root.querySelectorAll<HTMLLabelElement>('.form-row > label[for]')].filter((label) =>
      label.checkVisibility(),
    );
    return labels
      .filter((label) => {
        const field = document.getElementById(label.htmlFor);
        if (field === null) return true;
        // A typed input whose type needs no value shows only its menu.
        const menu = field.closest('.red-ui-typedInput-container')?.querySelector('button');
        if (!field.checkVisibility()) return menu === null || menu === undefined || !menu.checkVisibility();
        field.focus();
        return document.activeElement !== field;
      })
      .map((label) => `${(label.textContent ?? '').trim()} for ${label.htmlFor}`);
  });
}

/** Fields that have no name for those who cannot see where they are. */
export async function unnamedFields(form: Locator): Promise<string[]> {
  const rows = await form.locator('.form-row:visible').all();
  const trees = await Promise.all(rows.map((row) => row.ariaSnapshot()));
  const lines = trees.flatMap((tree) => tree.split('\n'));
  return lines.filter((line) => /^\s*- (textbox|combobox|checkbox|spinbutton|listbox)(?! ")/.test(line));
}

import type { Locator } from 'playwright-core';

/** The least contrast of a text that can be read, by WCAG 2 for large text; hints are grey in Node-RED too. */
const LEAST = 3;

/** Texts of an element that can hardly be read against what is behind them, with their contrast. */
export async function hardToRead(element: Locator): Promise<string[]> {
  return element.evaluate((root, least) => {
    type Colour = [red: number, green: number, blue: number, alpha: number];
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    // The browser itself reads every way in which a colour can be written.
    function read(colour: string): Colour {
      if (canvas === null) return [0, 0, 0, 1];
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data;
      return [red, green, blue, alpha / 255];
    }
    function over([r1, g1, b1, a1]: Colour, [r2, g2, b2]: Colour): Colour {
      return [r1 * a1 + r2 * (1 - a1), g1 * a1 + g2 * (1 - a1), b1 * a1 + b2 * (1 - a1), 1];
    }
    function behind(start: Element | null): Colour {
      const layers: Colour[] = [];
      for (let at = start; at !== null; at = at.parentElement) {
        const layer = read(getComputedStyle(at).backgroundColor);
        layers.push(layer);
        if (layer[3] === 1) break;
      }
      return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1] as Colour);
    }
    function luminance([red, green, blue]: Colour): number {
      const [r = 0, g = 0, b = 0] = [red, green, blue].map((part) => {
        const share = part / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    function contrast(text: Colour, background: Colour): number {
      const [a, b] = [luminance(over(text, background)), luminance(background)];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }

    const found: string[] = [];
    for (const at of root.querySelectorAll<HTMLElement>('*')) {
      const isField = at.matches('input:not([type=hidden]):not([type=checkbox]), select, textarea');
      const own = [...at.childNodes].filter(({ nodeType }) => nodeType === 3).map((text) => text.textContent ?? '');
      const text = isField ? (at as HTMLInputElement).value : own.join('').trim();
      if (text === '' || at.localName === 'option' || at.localName === 'style' || at.closest('.monaco-editor'))
        continue;
      if (!at.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const value = contrast(read(getComputedStyle(at).color), behind(at));
      if (value < least) found.push(`"${text.slice(0, 40)}" (${at.className || at.localName}): ${value.toFixed(1)}`);
    }
    return found;
  }, LEAST);
}

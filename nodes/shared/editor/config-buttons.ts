/** The buttons beside the select of a config node. Node-RED makes them for the mouse alone. */

/** Lets the buttons of the open dialog be reached with the Tab key, pressed with Enter or Space, and read out. */
export function reachConfigButtons(): void {
  const types = {
    client: RED._('@funcx/node-red-funcx/funcx-client:shared.label.client'),
    function: RED._('@funcx/node-red-funcx/funcx-client:shared.label.function'),
  };
  for (const [property, type] of Object.entries(types)) {
    reach(`#node-input-btn-${property}-edit`, RED._('editor:editor.editConfig', { type }));
    reach(`#node-input-btn-${property}-add`, RED._('editor:editor.addNewConfig', { type }));
  }
}

function reach(selector: string, name: string): void {
  const button = $(selector).attr({ tabindex: 0, role: 'button', 'aria-label': name });
  button.on('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    button.trigger('click');
  });
}

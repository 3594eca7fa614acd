/**
 * Node-RED's editor as of 4.0 to 5.0, where `@types/node-red__editor-client` (which describes 1.3) is silent or
 * narrower than the editor. Sources: the editor's own code and https://nodered.org/docs/creating-nodes/.
 */
import type * as client from '@node-red/editor-client';

declare global {
  /** The editor's global object. */
  const RED: NodeRedEditor.RED;

  namespace NodeRedEditor {
    type NodeProperties = client.NodeProperties;

    /** A node as the functions of its definition see it in `this`. */
    type NodeInstance<
      Properties extends NodeProperties = NodeProperties,
      Credentials = Record<never, string>,
    > = client.NodeInstance<Properties> & {
      /** While its dialog is open. A password is not among them; `has_<name>` tells whether there is one. */
      readonly credentials?: Partial<Credentials> & { readonly [flag: `has_${string}`]: boolean | undefined };
      /** Config nodes only: the nodes that use this one. */
      readonly users?: readonly AnyNode[];
      readonly valid?: boolean;
      readonly changed?: boolean;
    };

    /** A node of any type, as the editor's look-ups return it. */
    interface AnyNode {
      readonly id: string;
      readonly type: string;
      readonly z?: string;
      readonly d?: boolean;
      readonly name?: string;
      readonly label?: string;
      readonly valid?: boolean;
      readonly changed?: boolean;
      readonly users?: readonly AnyNode[];
      readonly [property: string]: unknown;
    }

    interface ValidateOptions {
      /** Label of the property, for the message. */
      readonly label?: string;
    }

    interface PropertyDefinition<Value, Instance> {
      value: Value | '';
      /** Name of the property in the message that says it is wrong; a key of the catalogue is not looked up here. */
      label?: string;
      required?: boolean;
      /** Type of the config node that the property points to. */
      type?: string;
      /** `false` or a text when the value is wrong; the text is shown. Without `opt` only `false` may say so. */
      validate?: (this: Instance, value: Value, opt?: ValidateOptions) => boolean | string;
    }

    type PropertyDefinitions<Properties extends NodeProperties, Instance> = {
      [Name in keyof Properties]-?: Name extends client.NodeReservedProperties
        ? never
        : PropertyDefinition<NonNullable<Properties[Name]>, Instance>;
    };

    interface CredentialDefinition<Instance> {
      /** A `password` never comes back to the editor; `has_<name>` tells whether there is one. */
      type: 'text' | 'password';
      label?: string;
      required?: boolean;
      validate?: (this: Instance, value: string, opt?: ValidateOptions) => boolean | string;
    }

    interface NodeDefinition<
      Properties extends NodeProperties,
      Credentials = Record<never, string>,
      Instance = NodeInstance<Properties, Credentials>,
    > {
      category: string;
      /** Tooltip of the palette category; since 4.1.11. */
      categoryDescription?: string;
      defaults: PropertyDefinitions<Properties, Instance>;
      credentials?: { [Name in keyof Credentials]: CredentialDefinition<Instance> };
      inputs?: 0 | 1;
      outputs?: number;
      color?: string;
      /** File in the `icons` folder beside the node, or `font-awesome/fa-<name>`. */
      icon?: string;
      align?: 'left' | 'right';
      paletteLabel?: string | ((this: Instance) => string);
      label?: string | ((this: Instance) => string);
      labelStyle?: string | ((this: Instance) => string);
      inputLabels?: string | ((this: Instance) => string);
      outputLabels?: string | string[] | ((this: Instance, index: number) => string | undefined);
      /** Config nodes only: `false` keeps an unused one from being called so. */
      hasUsers?: boolean;
      oneditprepare?: (this: Instance) => void;
      /** May return further history entries, which Undo takes back together with the edit; since 4.0. */
      // biome-ignore lint/suspicious/noConfusingVoidType: most dialogs return nothing
      oneditsave?: (this: Instance) => void | EditResult;
      oneditcancel?: (this: Instance) => void;
      oneditdelete?: (this: Instance) => void;
      oneditresize?: (this: Instance, size: { width: number; height: number }) => void;
      onpaletteadd?: (this: Instance) => void;
      onpaletteremove?: (this: Instance) => void;
      onadd?: (this: Instance) => void;
    }

    interface EditResult {
      history?: client.HistoryEvent[];
    }

    interface Nodes
      extends Omit<
        client.Nodes,
        'registerType' | 'getType' | 'node' | 'eachNode' | 'eachConfig' | 'filterNodes' | 'workspace' | 'import'
      > {
      /** The type and `category`, `color`, `icon`, `inputs`, `outputs` have to be literals in place: tools read them. */
      registerType<Properties extends NodeProperties, Credentials = Record<never, string>>(
        type: string,
        definition: NodeDefinition<Properties, Credentials>,
      ): void;
      getType(type: string): { readonly category: string; readonly set?: { readonly id: string } } | undefined;
      node(id: string): AnyNode | null;
      /** Goes on until the callback returns `false`. */
      eachNode(callback: (node: AnyNode) => unknown): void;
      eachConfig(callback: (node: AnyNode) => unknown): void;
      filterNodes(filter: { readonly type?: string; readonly z?: string }): AnyNode[];
      workspace(id: string): AnyNode | undefined;
    }

    interface Settings extends client.SettingsWithData {
      /** Prefix of all admin URLs; `$.ajax` puts it before relative ones by itself. */
      readonly apiRootUrl: string;
    }

    interface TypedInputValidation {
      /** Name of the property that holds the type. */
      typeField?: string;
      /** The type, when it is fixed. */
      type?: string;
      isConfig?: boolean;
      allowBlank?: boolean;
      allowUndefined?: boolean;
    }

    type Validator = (value: unknown, opt?: ValidateOptions) => boolean | string;

    interface Validators {
      /** `${ENV}` passes. */
      number(blankAllowed?: boolean): Validator;
      regex(expression: RegExp): Validator;
      typedInput(typeProperty: string, isConfig?: boolean): Validator;
      typedInput(options: TypedInputValidation): Validator;
    }

    interface TabsOptions {
      id?: string;
      element?: JQuery;
      vertical?: boolean;
      onchange?: (tab: { readonly id: string; readonly label: string; readonly content?: JQuery }) => void;
      minimumActiveTabWidth?: number;
      scrollable?: boolean;
      collapsible?: boolean;
    }

    interface Tab {
      id: string;
      label: string;
      iconClass?: string;
      content?: JQuery;
      [property: string]: unknown;
    }

    interface Tabs {
      create(options: TabsOptions): Omit<client.TabsInstance, 'addTab'> & { addTab(tab: Tab, index?: number): void };
    }

    /** Ace's interface, which Node-RED also puts before Monaco; the members that both have. */
    interface CodeEditor {
      getValue(): string;
      setValue(value: string, cursor?: number): void;
      getSession(): {
        on(event: 'change', handler: () => void): void;
        setMode(mode: string): void;
        getAnnotations(): Annotation[];
        setAnnotations(annotations: readonly Annotation[]): void;
        clearAnnotations(): void;
      };
      getCursorPosition(): { readonly row: number; readonly column: number };
      gotoLine(line: number, column?: number, animate?: boolean): void;
      setReadOnly(readOnly: boolean): void;
      focus(): void;
      resize(): void;
      destroy(): void;
      on(event: 'change' | 'focus' | 'blur', handler: () => void): void;
    }

    interface Annotation {
      /** Counted from 0. */
      row: number;
      column?: number;
      text: string;
      type: 'error' | 'warning' | 'info';
    }

    interface CodeEditorOptions {
      /** Id of the element, or the element, that becomes the editor. */
      id?: string;
      element?: JQuery | HTMLElement;
      mode: string;
      value?: string;
      readOnly?: boolean;
      focus?: boolean;
      /** Under this name Monaco remembers cursor and folds while the page is open. */
      stateId?: string;
      globals?: Readonly<Record<string, boolean>>;
      options?: Readonly<Record<string, unknown>>;
    }

    interface Editor extends Omit<client.Editor, 'createEditor' | 'editText'> {
      createEditor(options: CodeEditorOptions): CodeEditor;
      editText(options: {
        mode: string;
        value: string;
        title?: string;
        width?: number | 'Infinity';
        stateId?: string;
        focus?: boolean;
        cursor?: { readonly row: number; readonly column: number };
        complete?: (value: string, cursor?: { readonly row: number; readonly column: number }) => void;
        cancel?: () => void;
      }): void;
    }

    interface NotificationHandle {
      close(): void;
      update(message: string | JQuery, options?: object): void;
    }

    interface NotificationOptions {
      type?: client.NotificationType;
      fixed?: boolean;
      timeout?: number;
      id?: string;
      modal?: boolean;
      width?: number;
      buttons?: { id?: string; class?: string; text: string; click: (event: JQuery.Event) => void }[];
    }

    interface Popover extends Omit<client.Popover, 'tooltip'> {
      tooltip(
        target: JQuery,
        content: string | (() => string | undefined),
        action?: string,
      ): client.PopoverInstance & {
        delete(): void;
        setAction(action: string): void;
      };
    }

    interface RED
      extends Omit<
        client.RED,
        'nodes' | 'settings' | 'validators' | 'tabs' | 'editor' | 'notify' | 'popover' | 'comms'
      > {
      nodes: Nodes;
      settings: Settings;
      validators: Validators;
      tabs: Tabs;
      editor: Editor;
      popover: Popover;
      comms: Comms;
      notify(
        message: string | JQuery,
        options?: NotificationOptions | client.NotificationType,
        fixed?: boolean,
        timeout?: number,
      ): NotificationHandle;
    }

    interface Comms {
      subscribe(topic: string, callback: (topic: string, data: unknown) => void): void;
      unsubscribe(topic: string, callback: (topic: string, data: unknown) => void): void;
    }

    type TypedInputTypeName =
      | client.WidgetTypedInputType
      | 'cred'
      | 'node'
      | 'conf-types'
      /** A choice of the page: `<type>` of a config node's or a custom type's definition. */
      | (string & {});

    interface TypedInputChoice {
      value: string;
      label: string;
      icon?: string;
      title?: string;
      hasValue?: boolean;
    }

    type Completion = string | { value: string; label?: string | JQuery };

    interface TypedInputType {
      value: string;
      label?: string;
      icon?: string;
      hasValue?: boolean;
      default?: string | string[];
      options?: readonly (string | TypedInputChoice)[] | (() => readonly (string | TypedInputChoice)[]);
      /** Several of the options may be chosen; the value is their list, with commas. */
      multiple?: boolean;
      validate?: RegExp | ((value: string, opt?: ValidateOptions) => boolean | string);
      valueLabel?: (container: JQuery, value: string) => void;
      /** Shows a button beside the field. */
      expand?: (() => void) | { icon?: string; minWidth?: number; content: (container: JQuery) => void };
      /** May answer at once, with a promise, or through `done`. */
      autoComplete?: (value: string, done?: (completions: Completion[]) => void) => Completion[] | undefined;
    }

    interface TypedInputOptions {
      default?: string;
      types: readonly (TypedInputTypeName | TypedInputType)[];
      typeField?: string | JQuery | HTMLElement;
    }

    interface TypedInput {
      (options: TypedInputOptions): JQuery;
      (action: 'type' | 'value'): string;
      (action: 'type' | 'value', value: string): JQuery;
      (action: 'types', types: readonly (TypedInputTypeName | TypedInputType)[]): JQuery;
      (action: 'width', width: string | number): JQuery;
      (action: 'validate', options?: { returnErrorMessage?: boolean }): boolean | string;
      (action: 'disable' | 'enable', state?: boolean): JQuery;
      (action: 'disabled'): boolean;
      (action: 'show' | 'hide' | 'focus'): JQuery;
    }

    interface EditableListOptions<Item> extends Omit<client.WidgetEditableListOptions<Item>, 'sortItems'> {
      buttons?: { id?: string; label?: string; icon?: string; title?: string; click: (event: JQuery.Event) => void }[];
      sortItems?: (items: JQuery) => void;
    }

    interface EditableList {
      <Item>(options: EditableListOptions<Item>): JQuery;
      (action: 'addItem', item: object): void;
      (action: 'addItems', items: readonly object[]): void;
      (action: 'insertItemAt', item: object, index: number): void;
      (action: 'removeItem', item: object, detach?: boolean): void;
      (action: 'getItemAt', index: number): object | undefined;
      (action: 'indexOf' | 'show', item: object): number;
      (action: 'items'): JQuery;
      (action: 'length'): number;
      (action: 'empty'): void;
      (action: 'width' | 'height', size: string | number): void;
      (action: 'filter', filter?: ((item: object) => boolean) | null): number;
      (action: 'sort', compare: (a: object, b: object) => number): void;
    }

    interface TreeListItem {
      label?: string;
      sublabel?: string;
      icon?: string;
      class?: string;
      element?: JQuery | HTMLElement;
      checkbox?: boolean;
      radio?: string;
      selected?: boolean;
      expanded?: boolean;
      collapsible?: boolean;
      deferBuild?: boolean;
      children?: TreeListItem[] | ((done: (children: TreeListItem[]) => void, item: TreeListItem) => void);
      [property: string]: unknown;
    }

    interface TreeList {
      (options: {
        data?: TreeListItem[];
        multi?: boolean;
        selectable?: boolean;
        autoSelect?: boolean;
        sortable?: boolean | string;
        rootSortable?: boolean;
      }): JQuery;
      (action: 'data'): TreeListItem[];
      (action: 'data', items: TreeListItem[]): JQuery;
      (action: 'filter', filter: ((item: TreeListItem) => boolean) | null): number;
      (action: 'selected'): TreeListItem | TreeListItem[] | undefined;
      (action: 'clearSelection' | 'empty'): void;
      (action: 'select' | 'show', item: TreeListItem): void;
    }

    interface AutoComplete {
      (options: {
        search: (value: string, done?: (completions: Completion[]) => void) => Completion[] | undefined;
        /** 0 opens the list on the down arrow in an empty field. */
        minLength?: number;
      }): JQuery;
      (action: 'destroy'): void;
    }

    interface SearchBox {
      (options?: { minimumLength?: number; delay?: number; style?: 'compact'; change?: () => void }): JQuery;
      (action: 'value'): string;
      (action: 'value', value: string): void;
      (action: 'count', label?: string | number): void;
      (action: 'change'): void;
    }

    type ToggleButton = (options?: {
      enabledIcon?: string;
      disabledIcon?: string;
      enabledLabel?: string;
      disabledLabel?: string;
      baseClass?: string;
      class?: string;
      invertState?: boolean;
    }) => JQuery;
  }

  interface JQuery<TElement = HTMLElement> {
    treeList: NodeRedEditor.TreeList;
    autoComplete: NodeRedEditor.AutoComplete;
    searchBox: NodeRedEditor.SearchBox;
    toggleButton: NodeRedEditor.ToggleButton;
  }
}

/** `typedInput` and `editableList` have types already, which later declarations can only add to. */
declare module '@node-red/editor-client' {
  interface WidgetTypedInput extends NodeRedEditor.TypedInput {}
  interface WidgetEditableList extends NodeRedEditor.EditableList {}
}

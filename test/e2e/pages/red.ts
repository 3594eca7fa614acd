/** What is used of the editor's own global object, inside the page. */

export interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly valid: boolean;
  readonly validationErrors?: readonly string[];
}

export interface Red {
  readonly nodes: {
    convertNode(node: EditorNode | null, withCredentials: boolean): Readonly<Record<string, unknown>>;
    node(id: string): EditorNode | null;
    eachNode(callback: (node: EditorNode) => void): void;
    eachConfig(callback: (node: EditorNode) => void): void;
    getNodeHelp(type: string): string;
    getType(type: string): { readonly category: string } | undefined;
  };
}

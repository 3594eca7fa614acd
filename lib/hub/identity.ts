/** Who uses the hub. */
export interface Identity {
  /** UUID. */
  readonly id: string;
  readonly username: string;
}

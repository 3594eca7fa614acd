/** Who asks the hub for something. */
import { isUuid } from '../compute/ids.js';

export interface Identity {
  /** UUID. A client's identity has the client's id: one user per client. */
  readonly id: string;
  /** What people see, as author of a function for example. */
  readonly username: string;
  /** UUIDs of the groups that the user is in. @default none */
  readonly groups?: readonly string[];
}

/** Whose something is and who else may use it. */
export interface Access {
  /** UUID of the owner; undefined for what belongs to the hub's operator. */
  readonly owner: string | undefined;
  readonly public: boolean;
  /** UUID of a group whose members may use it. */
  readonly group?: string | undefined;
}

export function isOwner(identity: Identity, { owner }: Access): boolean {
  return owner === identity.id;
}

/** Owner, public or group, as the service grants access. */
export function mayUse(identity: Identity, access: Access): boolean {
  if (isOwner(identity, access) || access.public) return true;
  return access.group !== undefined && (identity.groups ?? []).includes(access.group.toLowerCase());
}

/** Groups in the one form in which they are compared; what is no UUID is given to `invalid`. */
export function groupIds(groups: readonly string[], invalid: (group: string) => Error): string[] {
  return groups.map((group) => {
    if (!isUuid(group)) throw invalid(group);
    return group.toLowerCase();
  });
}

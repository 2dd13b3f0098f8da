import type { TargetGroup } from '../../model/target-group.js';
import type { TimeSlices } from '../../util/time-slices.js';
import { type KindName, type KubernetesObject, reference } from './object.js';
import type { Reflector } from './reflector.js';
import type { Lookup, Role } from './role.js';

/** One kind of objects, in one namespace or in all, and the groups that they are. */
export class NamespaceView<T extends KubernetesObject = KubernetesObject> {
  readonly #role: Role<T>;
  readonly #main: Reflector<T>;
  /** Of all kinds, those outside the namespace among them. */
  readonly #reflectors: readonly Reflector[];
  readonly #lookup: Lookup;
  readonly #groups = new Map<string, TargetGroup>();
  /** Keys of objects, and references to those that targets are also made of, that changed since the last build. */
  #dirty = new Set<string>();
  #dirtyOthers = new Set<string>();

  constructor(role: Role<T>, main: Reflector<T>, others: readonly Reflector[], lookup: Lookup) {
    this.#role = role;
    this.#main = main;
    this.#reflectors = [main as unknown as Reflector, ...others];
    this.#lookup = lookup;
  }

  get isSynced(): boolean {
    return this.#reflectors.every(({ isSynced }) => isSynced);
  }

  /** It may be long until it is synced. */
  get hasFailed(): boolean {
    return this.#reflectors.some(({ hasFailed }) => hasFailed);
  }

  get groups(): Iterable<TargetGroup> {
    return this.#groups.values();
  }

  changed(key: string): void {
    this.#dirty.add(key);
  }

  otherChanged(kind: KindName, key: string): void {
    this.#dirtyOthers.add(reference(kind, key));
  }

  /** Builds the groups anew that changed. Those that did not stay the same objects. */
  async build(slices: TimeSlices): Promise<void> {
    const [dirty, others] = [this.#dirty, this.#dirtyOthers];
    this.#dirty = new Set();
    this.#dirtyOthers = new Set();
    if (others.size > 0) {
      for (const [key, object] of this.#main.objects) {
        if (this.#role.references(object, this.#lookup).some((each) => others.has(each))) dirty.add(key);
        if (slices.isOver) await slices.pause();
      }
    }
    for (const key of dirty) {
      this.#buildOne(key);
      if (slices.isOver) await slices.pause();
    }
  }

  #buildOne(key: string): void {
    const object = this.#main.objects.get(key);
    const group = object === undefined ? undefined : this.#role.build(object, this.#lookup);
    if (group === undefined) this.#groups.delete(key);
    else this.#groups.set(key, group);
  }
}

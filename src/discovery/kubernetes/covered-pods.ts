import { hostPort, type Labels } from './meta-labels.js';
import { containerPortLabels, type Pod, podLabels } from './pod.js';

/** The pods behind the addresses of a service, and which of their ports the service has. */
export class CoveredPods {
  readonly #ports = new Map<Pod, Set<string>>();

  /**
   * Labels of the pod, and of its container that has this port.
   * @param port undefined: the address has none
   * @param protocol as the service says; undefined: as the container does
   */
  cover(pod: Pod, port: string | undefined, protocol?: string): Labels {
    const ports = this.#ports.get(pod) ?? new Set();
    this.#ports.set(pod, ports);
    if (port === undefined) return podLabels(pod);
    ports.add(port);
    let labels = podLabels(pod);
    for (const container of pod.containers) {
      const declared = container.ports.find((each) => each.port === port);
      if (declared === undefined) continue;
      const shown = protocol === undefined ? declared : { ...declared, protocol };
      labels = { ...labels, ...containerPortLabels(container, shown) };
    }
    return labels;
  }

  /** Targets for the ports that the service does not have. */
  uncovered(): Labels[] {
    return [...this.#ports].flatMap(([pod, covered]) =>
      pod.ip === ''
        ? []
        : pod.containers.flatMap((container) =>
            container.ports
              .filter(({ port }) => !covered.has(port))
              .map((port) => ({
                __address__: hostPort(pod.ip, port.port),
                ...containerPortLabels(container, port),
                ...podLabels(pod),
              })),
          ),
    );
  }
}

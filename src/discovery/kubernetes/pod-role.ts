import { hostAlone, hostPort, type Labels, PREFIX } from './meta-labels.js';
import { keyOf } from './object.js';
import { type Container, containerPortLabels, type Pod, podLabels } from './pod.js';
import { namespaceLabels, namespaceReference, nodeLabels, nodeReference, type Role } from './role.js';

/** @param onKnownNodesOnly pods on nodes that a selector leaves out are left out, too */
export function podRole(onKnownNodesOnly: boolean): Role<Pod> {
  return {
    needs: [],
    references: (pod, lookup) => [
      ...nodeReference(pod.nodeName, lookup),
      ...namespaceReference(pod.meta.namespace, lookup),
    ],
    build(pod, lookup) {
      if (pod.ip === '') return undefined;
      if (onKnownNodesOnly && lookup.nodes?.has(pod.nodeName) !== true) return undefined;
      return {
        source: `pod/${keyOf(pod.meta)}`,
        targets: pod.containers.flatMap((container) => containerTargets(pod, container)),
        labels: {
          ...podLabels(pod),
          [`${PREFIX}namespace`]: pod.meta.namespace,
          ...nodeLabels(pod.nodeName, lookup),
          ...namespaceLabels(pod.meta.namespace, lookup),
        },
      };
    },
  };
}

/** One a port; where no port is declared, one without, to be given by relabelling. */
function containerTargets(pod: Pod, container: Container): Labels[] {
  const id = { [`${PREFIX}pod_container_id`]: container.id };
  if (container.ports.length > 0) {
    return container.ports.map((port) => ({
      __address__: hostPort(pod.ip, port.port),
      ...id,
      ...containerPortLabels(container, port),
    }));
  }
  return [
    {
      __address__: hostAlone(pod.ip),
      ...id,
      [`${PREFIX}pod_container_name`]: container.name,
      [`${PREFIX}pod_container_image`]: container.image,
      [`${PREFIX}pod_container_init`]: String(container.isInit),
    },
  ];
}

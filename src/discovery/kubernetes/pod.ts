import { fields, list, optionalText, portText, text } from './fields.js';
import { type Labels, objectLabels, PREFIX } from './meta-labels.js';
import type { Kind, KubernetesObject } from './object.js';

export interface ContainerPort {
  readonly name: string;
  readonly port: string;
  readonly protocol: string;
}

export interface Container {
  readonly name: string;
  readonly id: string;
  readonly image: string;
  readonly isInit: boolean;
  readonly ports: readonly ContainerPort[];
}

export interface Pod extends KubernetesObject {
  /** Empty while it starts, and after it was evicted. */
  readonly ip: string;
  readonly hostIp: string;
  readonly nodeName: string;
  readonly phase: string;
  readonly ready: string;
  readonly controllerKind: string;
  readonly controllerName: string;
  /** Those that are no init containers first. */
  readonly containers: readonly Container[];
}

export const podKind: Kind<Pod> = {
  name: 'pod',
  group: '/api/v1',
  resource: 'pods',
  read(raw, meta) {
    const [spec, status] = [fields(raw.spec), fields(raw.status)];
    const controller = fields(
      list(fields(raw.metadata).ownerReferences).find((owner) => fields(owner).controller === true),
    );
    const ready = list(status.conditions).map(fields).find(({ type }) => type === 'Ready'); // biome-ignore format: one line
    return {
      meta,
      ip: text(status.podIP),
      hostIp: text(status.hostIP),
      nodeName: text(spec.nodeName),
      phase: text(status.phase),
      ready: (optionalText(ready?.status) ?? 'unknown').toLowerCase(),
      controllerKind: text(controller.kind),
      controllerName: text(controller.name),
      containers: [
        ...readContainers(spec.containers, status.containerStatuses, false),
        ...readContainers(spec.initContainers, status.initContainerStatuses, true),
      ],
    };
  },
};

function readContainers(containers: unknown, statuses: unknown, isInit: boolean): Container[] {
  const ids = new Map(
    list(statuses).map((status) => [fields(status).name, text(fields(status).containerID)]),
  );
  return list(containers).map((raw) => {
    const { name, image, ports } = fields(raw);
    return {
      name: text(name),
      id: ids.get(name) ?? '',
      image: text(image),
      isInit,
      ports: list(ports).map(fields).map((port) => ({
        name: text(port.name),
        port: portText(port.containerPort),
        protocol: text(port.protocol),
      })), // biome-ignore format: one port
    };
  });
}

export function podLabels(pod: Pod): Labels {
  return {
    [`${PREFIX}pod_ip`]: pod.ip,
    [`${PREFIX}pod_ready`]: pod.ready,
    [`${PREFIX}pod_phase`]: pod.phase,
    [`${PREFIX}pod_node_name`]: pod.nodeName,
    [`${PREFIX}pod_host_ip`]: pod.hostIp,
    [`${PREFIX}pod_uid`]: pod.meta.uid,
    ...objectLabels('pod', pod.meta),
    ...(pod.controllerKind === '' ? {} : { [`${PREFIX}pod_controller_kind`]: pod.controllerKind }),
    ...(pod.controllerName === '' ? {} : { [`${PREFIX}pod_controller_name`]: pod.controllerName }),
  };
}

/** As targets of services have them: without the container's id. */
export function containerPortLabels(container: Container, port: ContainerPort): Labels {
  return {
    [`${PREFIX}pod_container_name`]: container.name,
    [`${PREFIX}pod_container_image`]: container.image,
    [`${PREFIX}pod_container_init`]: String(container.isInit),
    [`${PREFIX}pod_container_port_name`]: port.name,
    [`${PREFIX}pod_container_port_number`]: port.port,
    [`${PREFIX}pod_container_port_protocol`]: port.protocol,
  };
}

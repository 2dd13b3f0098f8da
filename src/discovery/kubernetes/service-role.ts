import { hostPort, PREFIX } from './meta-labels.js';
import { keyOf } from './object.js';
import { namespaceLabels, namespaceReference, type Role } from './role.js';
import { type Service, serviceLabels } from './service.js';

export const serviceRole: Role<Service> = {
  needs: [],
  references: ({ meta }, lookup) => namespaceReference(meta.namespace, lookup),
  build(service, lookup) {
    const { meta, type } = service;
    const ofType = {
      [`${PREFIX}service_type`]: type,
      ...(type === 'ExternalName'
        ? { [`${PREFIX}service_external_name`]: service.externalName }
        : { [`${PREFIX}service_cluster_ip`]: service.clusterIp }),
      ...(type === 'LoadBalancer' ? { [`${PREFIX}service_loadbalancer_ip`]: service.loadBalancerIp } : {}),
    };
    return {
      source: `svc/${keyOf(meta)}`,
      targets: service.ports.map(({ name, port, protocol }) => ({
        __address__: hostPort(`${meta.name}.${meta.namespace}.svc`, port),
        [`${PREFIX}service_port_name`]: name,
        [`${PREFIX}service_port_number`]: port,
        [`${PREFIX}service_port_protocol`]: protocol,
        ...ofType,
      })),
      labels: { ...serviceLabels(service), ...namespaceLabels(meta.namespace, lookup) },
    };
  },
};

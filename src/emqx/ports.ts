/** The doors of a cluster, the same on every cloud. */
export const doorPorts = {
    /** Devices: MQTT over TLS. */
    clients: 8883,
    /** Peers' links: MQTT over TLS with client certificates. */
    links: 8884,
    /** EMQX's REST API over HTTPS, and the load balancers' health probes. */
    api: 18084,
} as const;

/** Ports between the nodes of one cluster: Erlang distribution and gen_rpc. The node name carries no digits, so no offset is added. */
export const clusterPorts = [4370, 5370] as const;

/** Path of the load balancers' health probe: 200 while the node takes clients, 503 while it is drained. `/status` stays 200 then. */
export const healthPath = "/api/v5/load_rebalance/availability_check";

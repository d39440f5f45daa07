export { clusterPorts, doorPorts, healthPath } from "../emqx/ports.js";

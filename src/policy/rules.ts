import { firewallRules } from "./firewalls.js";
import { identityRules } from "./identity.js";
import { linkRules } from "./links.js";
import { loadBalancerRules } from "./loadBalancers.js";
import { logRules } from "./logs.js";
import { machineRules } from "./machines.js";
import { networkRules } from "./network.js";
import type { Rule } from "./rule.js";
import { secretRules } from "./secrets.js";

/** Every rule, by area. */
export const rules: readonly Rule[] = [
    ...firewallRules,
    ...networkRules,
    ...machineRules,
    ...secretRules,
    ...loadBalancerRules,
    ...identityRules,
    ...logRules,
    ...linkRules,
];

/**
 * The security rules that Linkspan's sites hold: as data and functions over plain resources, and as a policy pack of Pulumi. This entry
 * needs `@pulumi/policy`.
 *
 * @packageDocumentation
 */
export { exceptions, exceptionText } from "./exceptions.js";
export { createPolicyPack, type Enforcement, linkspanPolicies, type PolicyPackOptions } from "./pack.js";
export {
    type Area,
    type PlainResource,
    ResourceGraph,
    type Rule,
    type RuleException,
    type Severity,
    type Violation,
    violationsOf,
} from "./rule.js";
export { rules } from "./rules.js";

/**
 * Namespaces of a mesh's own. Root uses them too: what is in them goes when their first process does. /proc stays the machine's, so that
 * processes in there know themselves and their leases by the numbers that everybody outside knows.
 */
export const unshareArgs = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"] as const;

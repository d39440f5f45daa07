import type { PairVerdict } from "./pairVerdict.js";

/** A JUnit report: a suite for each pair, a case for each direction. */
export function junitReport(pairs: readonly PairVerdict[], at: Date): string {
    const suites = pairs.map(({ pair, results, cause }) => {
        const failed = results.filter(({ status }) => status === "failed").length;
        const skipped = results.filter(({ status }) => status === "unproven").length;
        const cases = results.map((result) => {
            const seconds = ((result.maxMs ?? 0) / 1000).toFixed(3);
            const open = `    <testcase classname="linkspan.${escaped(pair)}" name="${escaped(`${result.from} -> ${result.to}`)}" time="${seconds}"`;
            if (result.status === "proven") {
                return `${open}/>`;
            }
            const tag = result.status === "failed" ? "failure" : "error";
            const reason = escaped([result.reason, cause].filter((part) => part !== undefined).join(" "));
            return `${open}>\n      <${tag} message="${reason}"/>\n    </testcase>`;
        });
        const head = `name="${escaped(pair)}" tests="${results.length}" failures="${failed}" errors="${skipped}" timestamp="${at.toISOString()}"`;
        return [`  <testsuite ${head}>`, ...cases, "  </testsuite>"].join("\n");
    });
    return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="linkspan verify">', ...suites, "</testsuites>", ""].join(
        "\n",
    );
}

function escaped(text: string): string {
    const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
    return (
        text
            .replace(/[&<>"]/g, (character) => named[character] ?? character)
            .replace(/\n/g, "&#10;")
            // What XML 1.0 cannot carry at all.
            .replace(/[^\t\r\u0020-\ud7ff\ue000-\ufffd]/g, "?")
    );
}

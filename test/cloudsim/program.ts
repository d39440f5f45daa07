/** The files of a Pulumi project in plain JavaScript; `linkspan` and `linkspan/aws` are the built working tree. */
export function nodejsProject(program: string, name = "aws"): Readonly<Record<string, string>> {
    return {
        "Pulumi.yaml": `name: ${name}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: main.js\n`,
        "package.json": JSON.stringify({ name, private: true, main: "main.js" }),
        "main.js": program,
    };
}

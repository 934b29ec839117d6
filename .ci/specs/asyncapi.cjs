// Validates AsyncAPI documents with the parser that `asyncapi validate` wraps: the whole CLI is 1.5 GB of
// generators for this one command. Any error or warning fails.
// Usage: node asyncapi.cjs asyncapi.yaml
const { Parser, fromFile } = require('@asyncapi/parser');

const NAMES = ['error', 'warning', 'information', 'hint'];
// AsyncAPI 3.0 is what tools read today, so being told of 3.1 at every run helps nobody.
const IGNORED = new Set(['asyncapi-latest-version']);

async function problemsOf(file) {
    const { document, diagnostics } = await fromFile(new Parser(), file).parse();
    const problems = diagnostics.filter(({ code }) => !IGNORED.has(code));
    for (const { severity, code, message, path, range } of problems) {
        console.log(`${file}:${range.start.line + 1} ${NAMES[severity]} ${code} ${message} (${path.join('.')})`);
    }
    const failed = !document || problems.some(({ severity }) => severity <= 1);
    console.log(`${file}: ${failed ? 'is not valid' : 'is valid'}`);
    return failed;
}

async function main() {
    let failed = process.argv.length < 3;
    for (const file of process.argv.slice(2)) {
        failed = (await problemsOf(file)) || failed;
    }
    process.exitCode = failed ? 1 : 0;
}

main();

// Drives Chromium for tests/browser/driver.py: JSON lines in, JSON lines out. Requests are answered as they are done,
// in any order. {id, do: "open", url} → {id, result: page}; {id, do: "call", page, name, args} → {id, result} or
// {id, error, report}; {id, do: "report" | "close" | "crash", page}. The first line out is {ready: version}.

import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

const FLAGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    '--disable-features=WebRtcHideLocalIpsWithMdns',
];
const SPEECHLESS_MS = 10_000;

const browser = await chromium.launch({ executablePath: process.argv[2], headless: true, args: FLAGS });
const pages = new Map();

function say(message) {
    process.stdout.write(JSON.stringify(message) + '\n');
}

async function open({ url }) {
    // A context of its own, as people have browsers of their own.
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
    const page = await context.newPage();
    const lines = [];
    page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => lines.push(`error: ${error.message}`));
    await page.goto(url);
    const name = pages.size + 1;
    pages.set(name, { page, lines });
    return name;
}

async function report({ page }) {
    const known = pages.get(page);
    const late = new Promise((resolve) => setTimeout(resolve, SPEECHLESS_MS, { silent: `for ${SPEECHLESS_MS} ms` }).unref());
    const said = known.page.evaluate(() => window.hype.report()).catch((error) => ({ silent: error.message }));
    return { ...(await Promise.race([said, late])), console: known.lines };
}

const deeds = {
    open,
    report,
    call: ({ page, name, args }) =>
        pages.get(page).page.evaluate(([deed, given]) => window.hype[deed](...given), [name, args]),
    // As when a tab is closed: no handler of the page runs.
    close: async ({ page }) => pages.get(page).page.context().close(),
};

async function answer(request) {
    try {
        say({ id: request.id, result: (await deeds[request.do](request)) ?? null });
    } catch (error) {
        say({ id: request.id, error: error.message.split('\n')[0] });
    }
}

say({ ready: browser.version() });
for await (const line of createInterface({ input: process.stdin })) answer(JSON.parse(line));
await browser.close();

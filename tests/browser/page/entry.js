// The page's handle for the tests: `window.hype`. What takes time is polled here, next to what it is about.

import { Call } from './call.js';
import { everything, inbound, outbound, path } from './figures.js';
import { SHADES } from './sources.js';

const POLL_MS = 50;
let call;
let held = 0; // answers that `hold` keeps back
let release;

// Resolves with what `look` gives as soon as that is not undefined; rejects after `within` milliseconds.
async function until(what, look, within) {
    const end = performance.now() + within;
    for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        if (performance.now() > end) throw new Error(`not within ${within} ms: ${typeof what === 'string' ? what : what()}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
}

// A figure of the stream `kind` of a user that we consume; undefined while there is no such stream.
async function received(userId, kind, figure) {
    const consumer = call.consumer(userId, kind);
    return consumer && (await inbound(consumer))[figure];
}

async function sent(kind, figure) {
    const producer = call.producers.get(kind);
    if (!producer) return undefined;
    return (await outbound(producer)).reduce((sum, stats) => sum + (stats[figure] ?? 0), 0);
}

window.hype = {
    async arrive(options, username) {
        call = new Call(options);
        return call.arrive(username);
    },
    join: () => call.join(),
    token: () => call.api.token,
    wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    leave: () => call.leave(),
    mute: (isMuted) => call.mute(isMuted),
    produce: (kind, options) => call.produce(kind, options),
    stop: (kind) => call.stop(kind),
    restartIce: (direction) => call.restartIce(direction),
    path: (direction) => path(call.transports[direction]),
    report: () => (call ? everything(call) : {}),

    // The answers to consume stay under way until `release`. `held` waits for so many of them.
    hold() {
        const post = call.api.post.bind(call.api);
        const released = new Promise((resolve) => (release = resolve));
        call.api.post = async (path, body) => {
            const answer = await post(path, body);
            if (path === '/api/voice/consume') {
                held++;
                await released;
            }
            return answer;
        };
    },
    held: (count, within) => until(`${count} answers`, () => (held >= count ? held : undefined), within),
    release: () => release(),

    // The data of a frame of this type with these members.
    heard(type, members, within) {
        return until(`${type} ${JSON.stringify(members)}`, () => call.gateway.heard(type, members)[0]?.data, within);
    },

    // The transports have been made anew so many times.
    renewed: (times, within) => until(`${times} renewals`, () => (call.renewals >= times ? call.renewals : undefined), within),

    // How many such frames have come so far.
    times: (type, members) => call.gateway.heard(type, members).length,

    // The figure is there and grows by at least `by` from what it is now; gives its value.
    async grows(userId, kind, figure, by, within) {
        let first;
        return until(
            `${figure} of ${kind} growing by ${by}`,
            async () => {
                const value = await received(userId, kind, figure);
                first ??= value;
                return value >= first + by ? value : undefined;
            },
            within,
        );
    },

    // The figure grows by less than `less` for `rest` milliseconds in a row; gives its value.
    async rests(userId, kind, figure, less, rest, within) {
        let mark;
        return until(
            `${figure} of ${kind} at rest for ${rest} ms`,
            async () => {
                const now = performance.now();
                const value = await received(userId, kind, figure);
                if (mark === undefined || value >= mark.value + less) mark = { value, now };
                return now - mark.now >= rest ? value : undefined;
            },
            within,
        );
    },

    // How long after asking to consume it the first picture of this stream was shown, in milliseconds.
    pictureAfter(userId, kind, within) {
        return until(`a picture of ${kind}`, () => call.consumer(userId, kind)?.appData.pictureAfterMs, within);
    },

    // What is shown of this stream is red, green or blue (`shade`) in the middle: coding leaves no colour exactly as it was.
    shows(userId, kind, shade, within) {
        const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
        const context = canvas.getContext('2d', { willReadFrequently: true });
        let colour;
        return until(
            () => `${kind} in ${shade}, but ${colour}`,
            () => {
                const element = call.consumer(userId, kind)?.appData.element;
                if (!element?.videoWidth) return undefined;
                const { videoWidth, videoHeight } = element;
                context.drawImage(element, videoWidth / 4, videoHeight / 2, videoWidth / 2, videoHeight / 4, 0, 0, 1, 1);
                colour = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
                const [first, second] = colour.toSorted((one, other) => other - one);
                return first > second + 80 && Object.keys(SHADES)[colour.indexOf(first)] === shade ? colour : undefined;
            },
            within,
        );
    },

    // No consumer of this stream is left.
    gone(userId, kind, within) {
        return until(`${kind} gone`, () => (call.consumer(userId, kind) ? undefined : true), within);
    },

    // We send this stream at `bitsPerSecond` or more, over one second.
    async sendsAt(kind, bitsPerSecond, within) {
        let mark;
        return until(
            `${kind} sent at ${bitsPerSecond} bit/s`,
            async () => {
                const now = performance.now();
                const value = await sent(kind, 'bytesSent');
                mark ??= { value, now };
                if (now - mark.now < 1000) return undefined;
                const rate = ((value - mark.value) * 8000) / (now - mark.now);
                mark = { value, now };
                return rate >= bitsPerSecond ? rate : undefined;
            },
            within,
        );
    },
};

// What getStats says, cut down to what a person wants to see when a test fails.

const INBOUND = [
    'packetsReceived',
    'packetsLost',
    'packetsDiscarded',
    'framesDecoded',
    'keyFramesDecoded',
    'framesDropped',
    'frameWidth',
    'frameHeight',
    'freezeCount',
    'totalAudioEnergy',
    'concealedSamples',
    'totalSamplesReceived',
    'pliCount',
    'nackCount',
    'retransmittedPacketsReceived',
];
const OUTBOUND = [
    'rid',
    'packetsSent',
    'bytesSent',
    'framesEncoded',
    'frameWidth',
    'frameHeight',
    'framesPerSecond',
    'targetBitrate',
    'qualityLimitationReason',
    'retransmittedPacketsSent',
    'nackCount',
    'pliCount',
];
const PAIR = ['state', 'currentRoundTripTime', 'availableOutgoingBitrate', 'bytesSent', 'bytesReceived'];

function cut(stats, names) {
    return Object.fromEntries(names.filter((name) => stats[name] !== undefined).map((name) => [name, stats[name]]));
}

async function all(source, type) {
    return [...(await source.getStats()).values()].filter((stats) => stats.type === type);
}

export async function inbound(consumer) {
    const [stats] = await all(consumer, 'inbound-rtp');
    return stats ? cut(stats, INBOUND) : {};
}

export async function outbound(producer) {
    if (producer.closed) return [];
    return (await all(producer, 'outbound-rtp')).map((stats) => cut(stats, OUTBOUND));
}

// The candidate pair in use, the protocol it speaks, and how far DTLS has come.
export async function path(transport) {
    if (transport.closed) return { state: 'closed' };
    const stats = await transport.getStats();
    const [own] = [...stats.values()].filter((one) => one.type === 'transport');
    const pair = own && stats.get(own.selectedCandidatePairId);
    const local = pair && stats.get(pair.localCandidateId);
    return {
        state: transport.connectionState,
        dtls: own?.dtlsState,
        srtp: own?.srtpCipher,
        protocol: local?.protocol,
        pairs: pair ? cut(pair, PAIR) : [...stats.values()].filter((one) => one.type === 'candidate-pair').map((one) => one.state),
    };
}

// Everything, for a report.
export async function everything(call) {
    const report = { user: call.user?.username, states: call.states, failures: call.failures, sends: {}, receives: {} };
    for (const [direction, transport] of Object.entries(call.transports)) report[direction] = await path(transport);
    for (const [kind, producer] of call.producers) report.sends[kind] = await outbound(producer);
    for (const consumer of call.consumers.values()) {
        const { userId, kind, pictureAfterMs } = consumer.appData;
        report.receives[`${kind} of ${userId}`] = { ...(await inbound(consumer)), pictureAfterMs };
    }
    report.frames = (call.gateway?.frames ?? []).map(({ type, data }) => `${type} ${JSON.stringify(data)}`);
    return report;
}

// One participant of a voice channel, written as a frontend would: mediasoup-client takes every answer unchanged.

import { Device } from 'mediasoup-client';

import { Api } from './api.js';
import { Gateway } from './gateway.js';
import { track } from './sources.js';

export class Call {
    // only: "udp" or "tcp" keeps the ICE candidates of that protocol.
    constructor({ api, ws, channelId, only = null }) {
        Object.assign(this, { ws, channelId, only });
        this.api = new Api(api);
        this.states = [];
        this.failures = [];
        this.producers = new Map();
        this.consumers = new Map();
        this.transports = {};
    }

    // A guest with a token, on the gateway, with a loaded device and both transports.
    async arrive(username) {
        const session = await this.api.post('/auth/guest', { username });
        this.api.token = session.accessToken;
        this.user = session.user;
        this.gateway = await Gateway.open(this.ws, session.accessToken, (frame) => this.#heard(frame));
        this.device = await Device.factory();
        await this.device.load({ routerRtpCapabilities: await this.api.get('/api/voice/rtp-capabilities') });
        await this.#transport('send');
        await this.#transport('recv');
        return this.user.id;
    }

    // Into the channel: from here on everybody hears of us, and we of their producers.
    join() {
        this.gateway.send('voice_state', { channelId: this.channelId, isMuted: false, isDeafened: false });
    }

    leave() {
        this.gateway.send('voice_state', { channelId: null });
    }

    mute(isMuted) {
        this.gateway.send('voice_state', { channelId: this.channelId, isMuted });
    }

    async produce(kind, { encodings, codecOptions, ...source } = {}) {
        const producer = await this.transports.send.produce({
            track: await track(kind, source),
            encodings,
            codecOptions,
            appData: { kind },
        });
        this.producers.set(kind, producer);
        return producer.id;
    }

    async stop(kind) {
        const producer = this.producers.get(kind);
        this.producers.delete(kind);
        producer.close();
        await this.api.delete(`/api/voice/produce/${producer.id}`);
    }

    async restartIce(direction) {
        const transport = this.transports[direction];
        const { iceParameters } = await this.api.post('/api/voice/transport/restart-ice', {
            transportId: transport.id,
        });
        await transport.restartIce({ iceParameters });
    }

    // The consumer of this user's stream of this kind, if we have one.
    consumer(userId, kind) {
        return [...this.consumers.values()].find((one) => one.appData.userId === userId && one.appData.kind === kind);
    }

    async #transport(direction) {
        const options = await this.api.post(`/api/voice/transport/${direction}`, { channelId: this.channelId });
        if (this.only) {
            options.iceCandidates = options.iceCandidates.filter((candidate) => candidate.protocol === this.only);
        }
        const transport =
            direction === 'send' ? this.device.createSendTransport(options) : this.device.createRecvTransport(options);
        transport.on('connect', ({ dtlsParameters }, done, failed) => {
            this.api.post('/api/voice/transport/connect', { transportId: transport.id, dtlsParameters }).then(done, failed);
        });
        transport.on('produce', ({ rtpParameters, appData }, done, failed) => {
            const { kind } = appData;
            this.api
                .post('/api/voice/produce', { transportId: transport.id, kind, rtpParameters, appData })
                .then(({ id }) => done({ id }), failed);
        });
        transport.on('connectionstatechange', (state) => this.states.push(`${direction} ${state}`));
        this.transports[direction] = transport;
    }

    #heard({ type, data }) {
        if (type === 'new_producer') this.#consume(data).catch((failure) => this.failures.push(String(failure)));
        if (type === 'producer_closed') this.#forget(data.producerId);
    }

    async #consume({ userId, producerId, kind }) {
        const asked = performance.now();
        const options = await this.api.post('/api/voice/consume', {
            transportId: this.transports.recv.id,
            producerId,
            rtpCapabilities: this.device.rtpCapabilities,
        });
        const consumer = await this.transports.recv.consume({ ...options, appData: { userId, kind } });
        this.consumers.set(producerId, consumer);
        consumer.appData.element = this.#play(consumer, asked);
    }

    // The sound element is not muted: a muted one would not be decoded, and have no energy.
    #play(consumer, asked) {
        const element = document.createElement(consumer.kind);
        Object.assign(element, { autoplay: true, playsInline: true, muted: consumer.kind === 'video' });
        element.srcObject = new MediaStream([consumer.track]);
        if (consumer.kind === 'video') {
            element.requestVideoFrameCallback(() => {
                consumer.appData.pictureAfterMs = performance.now() - asked;
            });
        }
        document.body.append(element);
        return element;
    }

    #forget(producerId) {
        const consumer = this.consumers.get(producerId);
        this.consumers.delete(producerId);
        consumer?.close();
        consumer?.appData.element?.remove();
    }
}

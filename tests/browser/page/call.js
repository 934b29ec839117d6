// One participant of a voice channel, written as a frontend would: mediasoup-client takes every answer unchanged.

import { Device } from 'mediasoup-client';

import { Api } from './api.js';
import { Gateway } from './gateway.js';
import { track } from './sources.js';

export class Call {
    // only: "udp" or "tcp" keeps the ICE candidates of that protocol.
    // token: of a user who is here in another tab already.
    constructor({ api, ws, channelId, only = null, token = null }) {
        Object.assign(this, { ws, channelId, only });
        this.api = new Api(api);
        this.api.token = token;
        this.states = [];
        this.failures = [];
        this.producers = new Map();
        this.sources = new Map(); // what each producer was made of, by kind
        this.consumers = new Map();
        this.transports = {};
        this.open = new Map(); // the others' producers by id: what could be consumed
        this.place = null; // our own voice_state, while we want to be in the channel
        this.renewals = 0;
    }

    // A guest with a token, on the gateway, with a loaded device and both transports.
    async arrive(username) {
        if (this.api.token) {
            this.user = (await this.api.get('/auth/me')).user;
        } else {
            const session = await this.api.post('/auth/guest', { username });
            this.api.enter(session);
            this.user = session.user;
        }
        await this.#connect();
        this.device = await Device.factory();
        await this.device.load({ routerRtpCapabilities: await this.api.get('/api/voice/rtp-capabilities') });
        await this.#transport('send');
        await this.#transport('recv');
        return this.user.id;
    }

    // Into the channel: from here on everybody hears of us, and we of their producers.
    join() {
        this.place = { channelId: this.channelId, isMuted: false, isDeafened: false };
        this.gateway.send('voice_state', this.place);
    }

    leave() {
        this.place = null;
        this.gateway.send('voice_state', { channelId: null });
    }

    mute(isMuted) {
        this.place = { ...this.place, channelId: this.channelId, isMuted };
        this.gateway.send('voice_state', { channelId: this.channelId, isMuted });
    }

    async produce(kind, { encodings, codecOptions, ...source } = {}) {
        return this.#send({ track: await track(kind, source), encodings, codecOptions, appData: { kind } });
    }

    async stop(kind) {
        const producer = this.producers.get(kind);
        this.producers.delete(kind);
        this.sources.delete(kind);
        producer.track.stop();
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

    async #connect() {
        this.gateway = await Gateway.open(this.ws, this.api.token, (frame) => this.#heard(frame));
        this.gateway.whenClosed(() => this.#comeBack());
    }

    // The track outlives its transport, so that it can be sent on the next one.
    async #send(options) {
        const producer = await this.transports.send.produce({ ...options, stopTracks: false });
        this.producers.set(options.appData.kind, producer);
        this.sources.set(options.appData.kind, options);
        return producer.id;
    }

    // A new transport in place of one that the server has closed, with all that was on it.
    async #renew(direction) {
        const old = this.transports[direction];
        const sent = direction === 'send' ? [...this.sources.values()] : [];
        if (direction === 'recv') [...this.consumers.keys()].forEach((id) => this.#forget(id));
        old.close();
        await this.#patiently(() => this.#transport(direction));
        for (const options of sent) await this.#send(options);
        if (direction === 'recv') await Promise.all([...this.open.values()].map((producer) => this.#consume(producer)));
        this.renewals++;
    }

    // Does it again for as long as the answer is 503: a media worker is being replaced.
    async #patiently(act) {
        for (let wait = 250; ; wait = Math.min(wait * 2, 4000)) {
            try {
                return await act();
            } catch (failure) {
                if (failure.status !== 503) throw failure;
            }
            await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
        }
    }

    // The server is gone, for a restart perhaps: come back when it is there again, as we were.
    async #comeBack() {
        this.open.clear();
        for (let wait = 250; ; wait = Math.min(wait * 2, 4000)) {
            await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
            try {
                await this.api.get('/auth/me'); // takes a new token if the old one has expired
                await this.#connect();
                break;
            } catch {
                continue;
            }
        }
        await this.#renew('send');
        await this.#renew('recv');
        if (this.place) this.gateway.send('voice_state', this.place);
    }

    // Another tab of ours has taken over when the reason is `replaced`: this one stays out.
    #lost({ transportId, direction, reason }) {
        if (this.transports[direction]?.id !== transportId) return;
        this.states.push(`${direction} ${reason}`);
        if (reason === 'replaced') this.transports[direction].close();
        else this.#renew(direction).catch((failure) => this.failures.push(String(failure)));
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
        if (type === 'new_producer') {
            this.open.set(data.producerId, data);
            this.#consume(data).catch((failure) => this.failures.push(String(failure)));
        }
        if (type === 'producer_closed') {
            this.open.delete(data.producerId);
            this.#forget(data.producerId);
        }
        if (type === 'transport_closed') this.#lost(data);
    }

    async #consume({ userId, producerId, kind }) {
        const asked = performance.now();
        const transport = this.transports.recv;
        const options = await this.api.post('/api/voice/consume', {
            transportId: transport.id,
            producerId,
            rtpCapabilities: this.device.rtpCapabilities,
        });
        const consumer = await transport.consume({ ...options, appData: { userId, kind } });
        // The producer, or our transport, may have closed meanwhile; then nobody will tell us again.
        if (!this.open.has(producerId) || transport !== this.transports.recv || this.consumers.has(producerId)) {
            consumer.close();
            return;
        }
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

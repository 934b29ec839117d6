// The WebSocket gateway: frames out, and every frame that came in, in order.

export class Gateway {
    constructor(socket, heard) {
        this.frames = [];
        this.socket = socket;
        socket.addEventListener('message', (message) => {
            const frame = JSON.parse(message.data);
            this.frames.push(frame);
            heard(frame);
        });
    }

    // Calls `lost` when the socket has closed, for whatever reason.
    whenClosed(lost) {
        this.socket.addEventListener('close', lost, { once: true });
    }

    // Resolves when the socket is open and has been answered, as in any frontend, by its own user_joined.
    static async open(url, token, heard) {
        const socket = new WebSocket(`${url}/?token=${encodeURIComponent(token)}`);
        const gateway = new Gateway(socket, heard);
        await new Promise((resolve, reject) => {
            socket.addEventListener('open', resolve, { once: true });
            socket.addEventListener('error', () => reject(new Error(`no WebSocket at ${url}`)), { once: true });
        });
        return gateway;
    }

    send(type, data) {
        this.socket.send(JSON.stringify({ type, data, timestamp: new Date().toISOString() }));
    }

    // The frames of this type whose data has these members.
    heard(type, members = {}) {
        return this.frames.filter(
            (frame) =>
                frame.type === type && Object.entries(members).every(([name, value]) => frame.data[name] === value),
        );
    }
}

// The same as bare.py with `ws` on Node. It prints its port.
const { WebSocketServer } = require('ws');

const rooms = new Map();
const members = (id) => rooms.get(id) ?? rooms.set(id, new Set()).get(id);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
server.on('listening', () => console.log(server.address().port));
server.on('connection', (socket) => {
  socket.on('message', (raw) => {
    const { type, data: { channelId } } = JSON.parse(raw);
    if (type === 'user_joined') members(channelId).add(socket);
    const others = type === 'user_joined' ? [socket] : [...members(channelId)].filter((each) => each !== socket);
    if (others.length === 0) return;
    const data = { userId: 'u', username: 'somebody', channelId };
    const text = JSON.stringify({ type, data, timestamp: new Date().toISOString() });
    for (const each of others) if (each.readyState === 1) each.send(text);
  });
  socket.on('close', () => rooms.forEach((each) => each.delete(socket)));
});

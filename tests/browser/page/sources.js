// What a page sends: the (fake) microphone and camera of the browser, and a drawn screen.

const AUDIO = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

// In the order of a pixel's parts; the strongest part tells them apart at the other end.
export const SHADES = { red: [200, 30, 30], green: [30, 200, 30], blue: [30, 30, 200] };

export async function track(kind, options = {}) {
    if (kind === 'audio') return one(await navigator.mediaDevices.getUserMedia({ audio: AUDIO }));
    if (kind === 'video') {
        const { width = 320, height = 240, frameRate = 15 } = options;
        return one(await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate } }));
    }
    return drawn(options);
}

function one(stream) {
    return stream.getTracks()[0];
}

// A screen of one colour in which something moves, so that there are always frames to send. `noisy`: one that costs
// as many bits as it is given.
function drawn({ shade = 'red', width = 320, height = 240, frameRate = 15, noisy = false }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    let step = 0;
    setInterval(() => {
        context.fillStyle = `rgb(${SHADES[shade].join(' ')})`;
        context.fillRect(0, 0, width, height);
        if (noisy) scatter(context, width, height);
        context.fillStyle = 'white';
        context.fillRect((step++ * 5) % width, 0, 20, 20);
    }, 1000 / frameRate);
    return one(canvas.captureStream(frameRate));
}

function scatter(context, width, height) {
    for (let count = 0; count < 1500; count++) {
        context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`;
        context.fillRect(Math.random() * width, Math.random() * height, 24, 24);
    }
}

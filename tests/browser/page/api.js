// REST as a frontend speaks it: fetch from another origin, the token in a header, the envelope opened.

export class Api {
    constructor(base) {
        this.base = base;
        this.token = null;
    }

    get(path) {
        return this.#call('GET', path);
    }

    post(path, body) {
        return this.#call('POST', path, body);
    }

    delete(path) {
        return this.#call('DELETE', path);
    }

    async #call(method, path, body) {
        const headers = {};
        if (this.token) headers.Authorization = `Bearer ${this.token}`;
        if (body !== undefined) headers['Content-Type'] = 'application/json';
        const response = await fetch(this.base + path, {
            method,
            headers,
            credentials: 'include',
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        const answer = await response.json();
        if (!answer.success) {
            const failure = new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
            throw Object.assign(failure, { status: response.status });
        }
        return answer.data;
    }
}

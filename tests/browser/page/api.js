// REST as a frontend speaks it: fetch from another origin, the token in a header, the envelope opened.

export class Api {
    constructor(base) {
        this.base = base;
        this.token = null;
        this.refreshToken = null;
        this.refreshing = null;
    }

    // The tokens of a session, as `/auth/guest` and `/auth/refresh` answer them.
    enter({ accessToken, refreshToken }) {
        this.token = accessToken;
        this.refreshToken = refreshToken;
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

    // An access token expires in a quarter of an hour: then it is refreshed, and the request is sent again.
    async #call(method, path, body) {
        const used = this.token;
        let { status, answer } = await this.#fetch(method, path, body);
        if (status === 401 && used && this.refreshToken) {
            if (used === this.token) await this.#refresh();
            ({ status, answer } = await this.#fetch(method, path, body));
        }
        if (!answer.success) {
            const failure = new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
            throw Object.assign(failure, { status });
        }
        return answer.data;
    }

    // Once for all requests that wait: a refresh token is good for a single use, and a second one ends the session.
    #refresh() {
        this.refreshing ??= this.#refreshOnce().finally(() => (this.refreshing = null));
        return this.refreshing;
    }

    async #refreshOnce() {
        const { status, answer } = await this.#fetch('POST', '/auth/refresh', { refreshToken: this.refreshToken });
        if (status === 200) this.enter(answer.data);
    }

    async #fetch(method, path, body) {
        const headers = {};
        if (this.token) headers.Authorization = `Bearer ${this.token}`;
        if (body !== undefined) headers['Content-Type'] = 'application/json';
        const response = await fetch(this.base + path, {
            method,
            headers,
            credentials: 'include',
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        return { status: response.status, answer: await response.json() };
    }
}

"""The selective forwarding unit: it forwards sound and pictures between browsers and never decodes them (ruling R30).

    signalling    in the server's process: what operations and the gateway call, the books, the supervision of workers
    worker        a process of its own: sockets, ICE-lite, DTLS, SRTP and RTP
    negotiation   pure functions over what clients say of their media (ORTC)
    codecs        one file for each codec that is forwarded
    framing       the frames of the link between the server and a worker

`signalling` and `worker` never import each other. Each imports the other three.
"""

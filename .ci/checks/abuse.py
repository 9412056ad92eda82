"""Bad clients of the control socket: what is not HTTP, too large, half sent, stalled, and two hundred at once.

usage: abuse.py [--hold] SOCKET. With --hold it opens two hundred connections, says so, and keeps them until it is killed.
"""

import signal
import socket
import sys
import time

GOOD = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def connect(path, patience=30):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(patience)
    client.connect(path)
    return client


def send(client, data):
    """Sends what the other side takes; that it hangs up meanwhile is its right."""
    try:
        client.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def answer(client):
    """All that comes until the other side hangs up; an unclean end is an end too."""
    received = b""
    try:
        while chunk := client.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def is_served(path):
    with connect(path) as client:
        send(client, GOOD)
        return answer(client).startswith(b"HTTP/1.1 200")


def expect(condition, what):
    print(f"  {'ok   ' if condition else 'FAIL '} {what}", flush=True)
    return bool(condition)


def refused(path, what, data):
    """The connection is closed without a good answer, and the next client is served."""
    with connect(path) as client:
        send(client, data)
        client.shutdown(socket.SHUT_WR)
        reply = answer(client)
    return expect(not reply.startswith(b"HTTP/1.1 2") and is_served(path), f"{what}: {reply[:30]!r}")


def stalled(path, what, data, pause=None):
    """Sends the beginning of a request and then nothing, or a byte now and then: it is hung up on within half a minute."""
    started = time.monotonic()
    with connect(path, 45) as client:
        send(client, data)
        if pause is None:
            answer(client)
        else:
            client.settimeout(pause)
            while time.monotonic() - started < 45:
                send(client, b"a")
                try:
                    if not client.recv(4096):
                        break
                except TimeoutError:
                    pass
                except ConnectionResetError:
                    break
    took = time.monotonic() - started
    return expect(took < 40 and is_served(path), f"{what}: hung up on after {took:.1f} s")


def crowd(path):
    """Two hundred silent connections at once; some are refused. When they go, everybody is served again."""
    clients = [opened for opened in (silent(path) for _ in range(200)) if opened]
    for client in clients:
        client.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if is_served(path):
                return expect(True, f"200 at once: {len(clients)} got in, then served again")
        except OSError:
            pass
        time.sleep(0.05)
    return expect(False, "200 at once: nobody is served afterwards")


def silent(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(2)
    try:
        client.connect(path)
        return client
    except OSError:
        client.close()
        return None


def main():
    path = sys.argv[-1]
    if sys.argv[1] == "--hold":
        held = [silent(path) for _ in range(200)]
        print(f"holding {sum(1 for client in held if client)}", flush=True)
        signal.pause()
    head = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n"
    results = [
        refused(path, "not HTTP", b"\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n"),
        refused(path, "nothing at all", b""),
        refused(path, "half a request", head),
        refused(path, "a line without end", b"GET /" + b"a" * 1_000_000),
        refused(path, "headers without end", head + b"X: y\r\n" * 200_000),
        refused(path, "a body without end", b"POST /v1/services/victim/start HTTP/1.1\r\nHost: x\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"a" * 65536 + b"\r\n" + b"10000\r\n" + b"a" * 65536),
        refused(path, "a negative length", b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        stalled(path, "silence", b""),
        stalled(path, "half a request, then silence", head),
        stalled(path, "a byte every half second", head + b"X: ", pause=0.5),
        crowd(path),
    ]
    return 0 if all(results) else 1


sys.exit(main())

"""A Troca client from docs/PROTOCOL.md and docs/MESSAGES.md alone: standard library and msgpack.

    python3 troca_client.py CLIENT_JSON NAME PASSWORD < commands

Each line of the input is a command: `register`, `login`, `send TO TEXT`, `inbox`; what came of it is
one line of JSON. A lost connection is none of the commands' business: it is made again, at the
coordinator, and what is unanswered is sent again.
"""

import json
import os
import socket
import ssl
import struct
import sys
import time

import msgpack

HELLO, WELCOME, GOODBYE, ERROR, PING, PONG = 1, 2, 3, 4, 5, 6
REGISTER, LOGIN, SESSION, PROGRESS = 0x10, 0x11, 0x12, 0x13
OPEN_STREAM, STREAM_OPENED, SEND, RECEIPT = 0x14, 0x15, 0x16, 0x17
INBOX, PAGE = 0x18, 0x19

CLIENT, MAIN_LANE = 0, 0
MAX_FRAME = 1024 * 1024
PATIENCE_S = 60


class Refused(Exception):
    """An ERROR that trying again does not mend."""


class Lost(Exception):
    """The connection is gone, or about to be."""


class Connection:
    """One connection to one replica: frames, HELLO and WELCOME, requests and answers."""

    def __init__(self, server, config, context):
        self.buffer = b""
        self.request = 0
        self.pinged = False
        try:
            raw = socket.create_connection((server["host"], server["port"]), timeout=5)
            self.socket = context.wrap_socket(raw, server_hostname=server["host"])
        except OSError as error:
            raise Lost(str(error))
        self.socket.settimeout(5)
        self.say(HELLO, 2, 2, config["clusterId"], CLIENT, 0, os.urandom(4).hex(), MAIN_LANE)
        welcome = self.hear()
        if welcome[0] != WELCOME:
            raise Lost(f"{welcome} in place of WELCOME")
        self.coordinator, self.heartbeat = welcome[6], welcome[9] / 1000
        self.socket.settimeout(self.heartbeat)

    def say(self, *message):
        body = msgpack.packb(list(message), use_bin_type=True)
        try:
            self.socket.sendall(struct.pack(">I", len(body)) + body)
        except OSError as error:
            raise Lost(str(error))

    def read(self, count):
        while len(self.buffer) < count:
            try:
                chunk = self.socket.recv(65536)
            except (socket.timeout, TimeoutError):
                if self.pinged:
                    raise Lost("silent")
                self.pinged = True
                self.say(PING, 0)
                continue
            except OSError as error:
                raise Lost(str(error))
            if not chunk:
                raise Lost("closed")
            self.pinged = False
            self.buffer += chunk
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def hear(self):
        """The next message that is not about the connection itself."""
        while True:
            (length,) = struct.unpack(">I", self.read(4))
            if not 0 < length <= MAX_FRAME:
                raise Lost(f"a frame of {length} bytes")
            message = msgpack.unpackb(self.read(length), raw=False)
            if message[0] == PING:
                self.say(PONG, message[1])
            elif message[0] == GOODBYE or (message[0] == ERROR and message[1] == 0):
                raise Lost(str(message))
            elif message[0] != PONG:
                return message

    def ask(self, tag, *fields):
        self.request += 1
        self.say(tag, self.request, *fields)
        return self.request

    def answer(self, request):
        while True:
            message = self.hear()
            if message[0] != PROGRESS and message[1] == request:
                return message

    def close(self):
        self.socket.close()


class Client:
    """One user: logged in wherever it can be, with one stream and its unanswered sends."""

    def __init__(self, config, name, password):
        self.config, self.name, self.password = config, name, password
        self.context = ssl.create_default_context(cafile=config["ca"])
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.connection = None
        self.opening = None
        self.token = os.urandom(16)
        self.stream = os.urandom(16)
        self.streaming = False
        self.next_seq = 1

    def connect(self):
        """At the coordinator, where one is known and can be reached; logged in by `opening`."""
        servers = self.config["servers"]
        for server in servers:
            try:
                connection = Connection(server, self.config, self.context)
                if connection.coordinator not in (0, server["slot"]):
                    leader = next(s for s in servers if s["slot"] == connection.coordinator)
                    try:
                        first, connection = connection, Connection(leader, self.config, self.context)
                        first.close()
                    except Lost:
                        pass
                answer = connection.answer(connection.ask(*self.opening))
                if answer[0] == SESSION:
                    self.connection = connection
                    return
                connection.close()
                self.check(answer)
            except Lost:
                continue

    def check(self, answer):
        """Sleeps where an ERROR is to be tried again; raises Refused where it is not."""
        _, _, code, text, _, retry_after, _ = answer
        if retry_after is None:
            raise Refused(f"{code}: {text}")
        time.sleep(retry_after / 1000)

    def run(self, *asked, answers):
        """Asks until it is answered so, over as many connections as it takes."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if self.connection is None:
                    self.connect()
                if self.connection is None:
                    time.sleep(0.1)
                    continue
                answer = self.connection.answer(self.connection.ask(*asked))
                if answer[0] == answers:
                    return answer
                self.check(answer)
            except Lost:
                if self.connection:
                    self.connection.close()
                self.connection = None
        raise TimeoutError(f"no answer within {PATIENCE_S} s")

    def open(self, *opening):
        self.opening = opening
        end = time.monotonic() + PATIENCE_S
        while self.connection is None and time.monotonic() < end:
            self.connect()
        # From here on by the password: the account is there.
        self.opening = (LOGIN, self.name, self.password)
        return {"name": self.name}

    def register(self):
        return self.open(REGISTER, self.name, self.password, self.token, None, None)

    def login(self):
        return self.open(LOGIN, self.name, self.password)

    def send(self, to, text):
        if not self.streaming:
            self.run(OPEN_STREAM, self.stream, answers=STREAM_OPENED)
            self.streaming = True
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        receipt = self.run(SEND, self.stream, seq, to, text, answers=RECEIPT)
        return {"seq": receipt[2], "index": receipt[3], "time": receipt[4]}

    def inbox(self):
        messages, after, more = [], 0, True
        while more:
            _, _, page, after, more, _ = self.run(INBOX, after, 100, False, answers=PAGE)
            messages += [{"index": m[0], "from": m[1], "seq": m[5], "text": m[6]} for m in page]
        return {"messages": messages}


def main(file, name, password):
    with open(file, encoding="utf-8") as source:
        config = json.load(source)
    config["ca"] = os.path.join(os.path.dirname(file), config["ca"])
    client = Client(config, name, password)
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split(" ", 2)
        try:
            came = getattr(client, command)(*words)
        except (Refused, TimeoutError) as error:
            came = {"error": str(error)}
        print(json.dumps(came), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

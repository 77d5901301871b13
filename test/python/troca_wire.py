"""The wire of docs/PROTOCOL.md and docs/MESSAGES.md: frames, handshake, requests and answers."""

import os
import socket
import struct

import msgpack

HELLO, WELCOME, GOODBYE, ERROR, PING, PONG = 1, 2, 3, 4, 5, 6
REGISTER, LOGIN, SESSION, PROGRESS = 0x10, 0x11, 0x12, 0x13
OPEN_STREAM, STREAM_OPENED, SEND, RECEIPT = 0x14, 0x15, 0x16, 0x17
INBOX, PAGE, LISTEN, LISTENING, PUSH, CURSOR = 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D
CHANGE_PASSWORD, ROTATE_KEY, KEYS, KEYS_ARE = 0x21, 0x22, 0x23, 0x24
DELETE, DELETED, DELIVERED = 0x25, 0x26, 0x27
RECEIPTS, RECEIPTS_ARE, FOLLOW_RECEIPTS, FOLLOWING_RECEIPTS = 0x28, 0x29, 0x2A, 0x2B
SEND_SEALED, CLOSE_STREAM, STREAM_CLOSED = 0x2C, 0x2F, 0x3B
EXPORT_KEYS, WRAPPED_KEYS, ADD_KEY = 0x30, 0x31, 0x32
DELETE_ACCOUNT, ACCOUNT_DELETED, ACCEPTED, RECEIPT_STATE = 0x39, 0x3A, 0x3C, 0x3D
NOTICES = {PUSH, ACCEPTED, RECEIPT_STATE}

CLIENT, MAIN_LANE = 0, 0
MAX_FRAME = 1024 * 1024


class Lost(Exception):
    """The connection is gone, or about to be. `message`: the ERROR or GOODBYE that said so."""

    def __init__(self, why, message=None):
        super().__init__(why)
        self.message = message


class Connection:
    """One connection to one replica: frames, HELLO and WELCOME, requests and answers."""

    def __init__(self, server, config, context):
        self.buffer = b""
        self.request = 0
        self.notices = []
        self.pinged = False
        try:
            raw = socket.create_connection((server["host"], server["port"]), timeout=5)
            self.socket = context.wrap_socket(raw, server_hostname=server["host"])
        except OSError as error:
            raise Lost(str(error))
        self.socket.settimeout(5)
        self.say(HELLO, 3, 3, config["clusterId"], CLIENT, 0, os.urandom(4).hex(), MAIN_LANE)
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
                raise Lost(str(message), message)
            elif message[0] != PONG:
                return message

    def ask(self, tag, *fields):
        self.request += 1
        self.say(tag, self.request, *fields)
        return self.request

    def answer(self, request):
        while True:
            message = self.hear()
            if message[0] in NOTICES:
                self.notices.append(message)
            elif message[0] != PROGRESS and message[1] == request:
                return message

    def notice(self, tag):
        """The next message of this kind that answers nothing."""
        while True:
            message = self.notices.pop(0) if self.notices else self.hear()
            if message[0] == tag:
                return message

    def close(self):
        self.socket.close()

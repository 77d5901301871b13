"""A Troca client from docs/PROTOCOL.md and docs/MESSAGES.md alone: msgpack and cryptography.

    python3 troca_client.py CLIENT_JSON NAME PASSWORD < commands

Each line of the input is a command, which is a method of Client and its words; what came of it is
one line of JSON. A lost connection is none of the commands' business (troca_account.py).
"""

import json
import os
import sys
import time

import troca_crypto as crypto
import troca_wire as wire
from troca_account import Account, Refused


class Client(Account):
    """An account with its mailbox, and one stream with its unanswered sends."""

    def __init__(self, *of):
        super().__init__(*of)
        self.token = os.urandom(16)
        self.stream = None
        self.streaming = False
        self.next_seq = 1
        self.shown = {}  # (stream, seq) of a signed message: its index

    def contact(self, name):
        """The checked pairs of a client-held account; empty where the service holds the keys."""
        keys = self.run(wire.KEYS, name, answers=wire.KEYS_ARE)[2]
        if all(signing is None for _, _, _, signing in keys):
            return []
        if any(one[0] != crypto.fingerprint(crypto.public_of(one[2])) for one in keys):
            raise crypto.Unsound("a fingerprint is not that of its key")
        return crypto.checked_pairs(name, keys)

    def send(self, to, text):
        if not self.streaming:
            self.stream = self.run(wire.OPEN_STREAM, self.token, answers=wire.STREAM_OPENED)[2]
            self.streaming = True
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        asked = (wire.SEND, text)
        if self.pairs:
            [(recipient_key, _), *_] = self.contact(to)
            keys = recipient_key, self.pairs[0].signing
            place = self.name, to, self.stream, seq
            asked = (wire.SEND_SEALED, crypto.seal(*keys, place, int(time.time() * 1000), text))
        receipt = self.run(asked[0], self.stream, seq, to, asked[1], answers=wire.RECEIPT)
        return {"seq": receipt[2], "index": receipt[3], "time": receipt[4]}

    def shape(self, message):
        index, sender, to, _, stream, seq, text, envelope = message
        if self.pairs:
            text = self.signed_text(index, (sender, to, stream, seq), envelope)
        return {"index": index, "from": sender, "seq": seq, "text": text}

    def signed_text(self, index, place, envelope):
        try:
            signers = [signing for _, signing in self.contact(place[0])]
            _, text = crypto.open_signed(envelope, place, self.private_keys(), signers)
            if self.shown.setdefault(place[2:], index) != index:
                raise crypto.Unsound("shown before")
            return text
        except crypto.Unsound as why:
            return f"no text: {why}"

    def refusals(self):
        """What `signed_text` says of the last message, as it is and with something changed."""
        index, sender, to, _, stream, seq, _, sealed = self.pages(True)[-1]
        here, *parts = (sender, to, stream, seq), *crypto.split(sealed)
        cut, zeros = crypto.fields(*parts[:5]), bytes(len(parts[5]))
        changed = crypto.fields(*parts[:3], bytes(len(parts[3])), *parts[4:])
        return {
            "as it is": self.signed_text(index, here, sealed),
            "another seq": self.signed_text(index, (sender, to, stream, seq + 1), sealed),
            "another recipient": self.signed_text(index, (sender, sender, stream, seq), sealed),
            "no signature": self.signed_text(index, here, cut),
            "a signature of zeros": self.signed_text(index, here, cut + crypto.field(zeros)),
            "another ciphertext": self.signed_text(index, here, changed),
            "once more": self.signed_text(index + 1, here, sealed),
        }

    def pages(self, sealed):
        messages, after, more = [], 0, True
        while more:
            _, _, page, after, more, _ = self.run(wire.INBOX, after, 100, sealed, None, answers=wire.PAGE)
            messages += page
        return messages

    def inbox(self):
        return {"messages": [self.shape(message) for message in self.pages(False)]}

    def open_stored(self):
        """The envelopes of the own mailbox, opened here by the exported keys."""
        private, opened = self.private_keys(), []
        for index, sender, to, at, stream, seq, _, envelope in self.pages(True):
            header, text = crypto.open_envelope(crypto.split(envelope), private)
            place = (header["iss"], header["aud"], header["seq"], header["time"])
            if place != (sender, to, seq, at) or crypto.base64url(stream) != header["stream"]:
                raise crypto.Unsound("an envelope of another place")
            opened.append({"index": index, "from": sender, "seq": seq, "text": text})
        return {"messages": opened}

    def listen(self, count):
        """The next messages, pushed; they are read from then on."""
        self.run(wire.LISTEN, None, 1, answers=wire.LISTENING)
        messages = []
        while len(messages) < int(count):
            pushed = self.connection.notice(wire.PUSH)[1]
            messages += pushed
            self.connection.say(wire.DELIVERED, pushed[-1][0])
            self.connection.say(wire.CURSOR, pushed[-1][0])
        return {"messages": [self.shape(message) for message in messages]}

    def receipts(self):
        states = ["stored", "delivered", "read", "refused"]
        sends = self.run(wire.RECEIPTS, 100, None, answers=wire.RECEIPTS_ARE)[2]
        return {"sends": [{"to": s[2], "index": s[3], "state": states[s[5]]} for s in sends]}

    def until_read(self, index):
        """Follows an own message until its recipient has read it."""
        self.run(wire.FOLLOW_RECEIPTS, [int(index)], answers=wire.FOLLOWING_RECEIPTS)
        while True:
            _, to, _, read, _ = self.connection.notice(wire.RECEIPT_STATE)
            if read >= int(index):
                return {"to": to}

    def edges(self):
        """Codes of what the document says of ids, and of a stream that is the sender's."""
        stream = self.pages(True)[-1][4]
        codes = {}
        for name, *asked in [
            ("close", wire.CLOSE_STREAM, stream),
            ("send", wire.SEND, stream, 1, self.name, "x"),
            ("seq 0", wire.SEND, self.stream, 0, self.name, "x"),
            ("open again", wire.OPEN_STREAM, self.token),
            ("close own", wire.CLOSE_STREAM, self.stream),
            ("send there", wire.SEND, self.stream, self.next_seq, self.name, "x"),
        ]:
            answer = self.connection.answer(self.connection.ask(*asked))
            codes[name] = answer[2] if answer[0] == wire.ERROR else "done"
        for name, *asked in [
            ("id 0", wire.INBOX, 0, 0, 1, False, None),
            ("window 0", wire.LISTEN, 1, None, 0),
        ]:
            self.run(wire.INBOX, 0, 0, False, None, answers=wire.PAGE)
            try:
                self.connection.say(*asked)
                self.connection.hear()
            except wire.Lost as lost:
                codes[name] = lost.message and lost.message[1:3]
            self.connection = None
        return codes


def main(file, name, password):
    with open(file, encoding="utf-8") as source:
        config = json.load(source)
    config["ca"] = os.path.join(os.path.dirname(file), config["ca"])
    client = Client(config, name, password)
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split(" ", 2)
        try:
            came = getattr(client, command)(*words)
        except (Refused, TimeoutError, crypto.Unsound) as error:
            came = {"error": str(error)}
        print(json.dumps(came), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

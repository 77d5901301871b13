"""Connections and requests of one account: registration, log-in, keys, the end of the account.

A lost connection is made again, at the coordinator, and what is unanswered is asked again.
"""

import base64
import os
import ssl
import time

import troca_crypto as crypto
import troca_wire as wire

PATIENCE_S = 60


class Refused(Exception):
    """An ERROR that trying again does not mend."""


class Account:
    """One user, logged in wherever it can be."""

    def __init__(self, config, name, password):
        self.config, self.name, self.password = config, name, password
        self.context = ssl.create_default_context(cafile=config["ca"])
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.connection = None
        self.opening = None
        self.pairs = []  # of a client-held account, newest first

    # ---- connections ----------------------------------------------------------------------------

    def reach(self):
        """A connection to the coordinator, where one is known and can be reached; or None."""
        servers = self.config["servers"]
        for server in servers:
            try:
                connection = wire.Connection(server, self.config, self.context)
            except wire.Lost:
                continue
            if connection.coordinator in (0, server["slot"]):
                return connection
            leader = next(s for s in servers if s["slot"] == connection.coordinator)
            try:
                better = wire.Connection(leader, self.config, self.context)
                connection.close()
                return better
            except wire.Lost:
                return connection
        return None

    def connect(self):
        """Logs in by `opening`."""
        connection = self.reach()
        if connection is None:
            return time.sleep(0.1)
        try:
            answer = connection.answer(connection.ask(*self.opening))
        except wire.Lost:
            return None
        if answer[0] == wire.SESSION:
            self.connection = connection
            return None
        connection.close()
        return self.check(answer)

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
                    continue
                answer = self.connection.answer(self.connection.ask(*asked))
                if answer[0] == answers:
                    return answer
                self.check(answer)
            except wire.Lost:
                if self.connection:
                    self.connection.close()
                self.connection = None
        raise TimeoutError(f"no answer within {PATIENCE_S} s")

    # ---- accounts -------------------------------------------------------------------------------

    def open(self, *opening):
        self.opening = opening
        end = time.monotonic() + PATIENCE_S
        while self.connection is None and time.monotonic() < end:
            self.connect()
        # From here on by the password: the account is there.
        self.opening = (wire.LOGIN, self.name, self.password)
        return {"name": self.name}

    def register(self):
        token = os.urandom(16)
        return self.open(wire.REGISTER, self.name, self.password, token, None, None)

    def register_held(self):
        """As `register`, with keys that only this program has."""
        self.pairs = [crypto.Pair()]
        token, keys = os.urandom(16), self.pairs[0].published(self.name, 1)
        return self.open(wire.REGISTER, self.name, self.password, token, keys, None)

    def login(self):
        return self.open(wire.LOGIN, self.name, self.password)

    def password_to(self, password):
        asked = (wire.CHANGE_PASSWORD, self.password, password, os.urandom(16))
        self.run(*asked, answers=wire.SESSION)
        self.password = password
        self.opening = (wire.LOGIN, self.name, password)
        return {}

    def rotate(self):
        """A new key; of a client-held account, a new pair that the one before vouches for."""
        keys = None
        if self.pairs:
            pair = crypto.Pair()
            keys = pair.published(self.name, len(self.pairs) + 1, self.pairs[0])
            self.pairs.insert(0, pair)
        asked = (wire.ROTATE_KEY, self.password, os.urandom(16), keys)
        return {"fingerprint": self.run(*asked, answers=wire.SESSION)[3]}

    def wrapped(self):
        asked = (wire.EXPORT_KEYS, self.password)
        _, _, salt, cost, keys = self.run(*asked, answers=wire.WRAPPED_KEYS)
        return crypto.PasswordKeys(self.name, self.password, salt, cost), keys

    def private_keys(self):
        """What opens the messages of the account, newest first."""
        if self.pairs:
            return [pair.sealing for pair in self.pairs]
        wrapping, keys = self.wrapped()
        private = [wrapping.unwrap(wrapped) for _, wrapped in keys]
        if [crypto.public_der(key) for key in private] != [public for public, _ in keys]:
            raise crypto.Unsound("a private key is not that of its public key")
        return private

    def export(self):
        private = map(crypto.private_der, self.private_keys())
        return {"keys": [base64.b64encode(key).decode() for key in private]}

    def add(self, pkcs8):
        """Adds a key that was made elsewhere: PKCS#8 DER in base64."""
        wrapping, _ = self.wrapped()
        key = crypto.from_private_der(base64.b64decode(pkcs8))
        asked = (wire.ADD_KEY, self.password, os.urandom(16), wrapping.wrap(key))
        told = self.run(*asked, answers=wire.SESSION)[3]
        if told != crypto.fingerprint(key):
            raise crypto.Unsound(f"{told} is not the fingerprint of the key")
        return {"fingerprint": told}

    def delete_account(self):
        """The end of the account; then what the same connection and another one are told."""
        asked = (wire.DELETE_ACCOUNT, self.name, self.password, os.urandom(16))
        self.run(*asked, answers=wire.ACCOUNT_DELETED)
        login = (wire.LOGIN, self.name, self.password)
        same = self.connection.answer(self.connection.ask(*login))
        stranger = self.reach()
        again = stranger.answer(stranger.ask(*asked))
        return {"log_in": same[2], "repeated": again[0] == wire.ACCOUNT_DELETED}

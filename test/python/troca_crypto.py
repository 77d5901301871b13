"""Keys, envelopes and signatures: docs/PROTOCOL.md from Fingerprints to Keys under a password.

The arithmetic is that of the library cryptography, which is OpenSSL's: nothing of Troca is used.
"""

import base64
import hashlib
import json
import os
import struct
import unicodedata

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SHA256 = hashes.SHA256()
PSS = padding.PSS(mgf=padding.MGF1(SHA256), salt_length=32)
DER = serialization.Encoding.DER


class Unsound(Exception):
    """Keys that do not vouch for each other, or a message that must not be shown."""


def oaep(label=None):
    return padding.OAEP(mgf=padding.MGF1(SHA256), algorithm=SHA256, label=label)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def field(content):
    data = content.encode() if isinstance(content, str) else content
    return struct.pack(">I", len(data)) + data


def fields(*contents):
    return b"".join(map(field, contents))


def split(data):
    """The list of fields that `data` is."""
    found = []
    while data:
        (length,) = struct.unpack(">I", data[:4])
        if length > len(data) - 4:
            raise Unsound("a part is cut off")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


# ---- keys ---------------------------------------------------------------------------------------


def new_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_der(key):
    public = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key
    return public.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_der(key):
    pkcs8 = serialization.PrivateFormat.PKCS8
    return key.private_bytes(DER, pkcs8, serialization.NoEncryption())


def from_private_der(data):
    return serialization.load_der_private_key(data, None)


def public_of(der):
    return serialization.load_der_public_key(der)


def fingerprint(key):
    numbers = public_of(public_der(key)).public_numbers()
    n = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    e = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
    jwk = '{"e":"%s","kty":"RSA","n":"%s"}' % (base64url(e), base64url(n))
    return base64url(hashlib.sha256(jwk.encode()).digest())


class Pair:
    """The two private keys of a client-held account."""

    def __init__(self):
        self.sealing, self.signing = new_key(), new_key()

    def published(self, user, number, previous=None):
        """A `held key`: the sealing key, and the signing key with what vouches for the pair."""
        sealing, signing = public_der(self.sealing), public_der(self.signing)
        statement = fields("troca keys 1", user, str(number), sealing, signing)
        own = self.signing.sign(statement, PSS, SHA256)
        before = previous.signing.sign(statement, PSS, SHA256) if previous else b""
        return [sealing, [signing, own, before]]


def checked_pairs(user, published):
    """(sealing, signing) of each `published key`, newest first; Unsound without all signatures."""
    pairs, previous = [], None
    for number, (_, _, sealing, (signing, own, before)) in enumerate(reversed(published), 1):
        statement = fields("troca keys 1", user, str(number), sealing, signing)
        keys = [public_of(key) for key in (sealing, signing)]
        verify(keys[1], own, statement)
        if previous is None and before:
            raise Unsound("the first pair has a pair before it")
        if previous is not None:
            verify(previous, before, statement)
        if sealing == signing:
            raise Unsound("one key for both uses")
        previous = keys[1]
        pairs.insert(0, tuple(keys))
    return pairs


def verify(key, signature, data):
    try:
        key.verify(signature, data, PSS, SHA256)
    except InvalidSignature:
        raise Unsound("a signature does not hold")


# ---- envelopes ----------------------------------------------------------------------------------


def encode_header(members):
    return json.dumps(members, separators=(",", ":"))


def read_header(data):
    members = json.loads(data)
    if encode_header(members).encode() != data:
        raise Unsound("a header in another encoding")
    return members


def seal(recipient_key, signing_key, place, time, text):
    """`sealed` of SEND_SEALED; `place`: sender, recipient, stream, seq."""
    sender, recipient, stream, seq = place
    members = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": fingerprint(recipient_key)}
    members |= {"skid": fingerprint(signing_key), "iss": sender, "aud": recipient}
    members |= {"stream": base64url(stream), "seq": seq, "time": time}
    header = encode_header(members)
    content_key, nonce = os.urandom(32), os.urandom(12)
    additional = base64url(header.encode()).encode()
    both = AESGCM(content_key).encrypt(nonce, text.encode(), additional)
    encrypted_key = recipient_key.encrypt(content_key, oaep())
    envelope = fields(header, encrypted_key, nonce, both[:-16], both[-16:])
    signature = signing_key.sign(field("troca message 1") + envelope, PSS, SHA256)
    return envelope + field(signature)


def open_envelope(parts, private_keys):
    """(header, text) of the five parts of an envelope, by the key that it names."""
    header, encrypted_key, nonce, ciphertext, tag = parts
    members = read_header(header)
    by_name = {fingerprint(key): key for key in private_keys}
    if members["kid"] not in by_name:
        raise Unsound("sealed for another key")
    key, additional = by_name[members["kid"]], base64url(header).encode()
    try:
        if members.get("suite") == "rsa":
            return members, key.decrypt(encrypted_key, oaep(additional)).decode()
        content_key = key.decrypt(encrypted_key, oaep())
        text = AESGCM(content_key).decrypt(nonce, ciphertext + tag, additional)
    except (ValueError, InvalidTag):
        raise Unsound("does not open")
    return members, text.decode()


def open_signed(body, place, private_keys, signers):
    """(header, text) of `sealed` that was found at `place`: sender, recipient, stream, seq."""
    *parts, signature = split(body)
    if len(parts) != 5:
        raise Unsound("not an envelope and a signature")
    members = read_header(parts[0])
    names = ["alg", "enc", "kid", "skid", "iss", "aud", "stream", "seq", "time"]
    found = (members["iss"], members["aud"], from_base64url(members["stream"]), members["seq"])
    if list(members) != names or found != place:
        raise Unsound("of another place")
    by_name = {fingerprint(key): key for key in signers}
    if members["skid"] not in by_name:
        raise Unsound("signed by another")
    signed = field("troca message 1") + body[: -len(field(signature))]
    verify(by_name[members["skid"]], signature, signed)
    return open_envelope(parts, private_keys)


# ---- keys under a password ----------------------------------------------------------------------


class PasswordKeys:
    """The wrapping key of a password, with the salt and cost of WRAPPED_KEYS."""

    def __init__(self, user, password, salt, cost):
        log_n, r, p = cost
        text = unicodedata.normalize("NFC", password).encode()
        n = 2**log_n
        derived = hashlib.scrypt(
            text, salt=salt, n=n, r=r, p=p, dklen=64, maxmem=128 * r * (n + p + 2)
        )
        self.wrapping = AESGCM(derived[:32])
        self.additional = f"troca private key of {user}".encode()

    def unwrap(self, wrapped):
        return from_private_der(self.wrapping.decrypt(wrapped[:12], wrapped[12:], self.additional))

    def wrap(self, key):
        nonce = os.urandom(12)
        return nonce + self.wrapping.encrypt(nonce, private_der(key), self.additional)

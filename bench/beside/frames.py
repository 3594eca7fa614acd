"""Frames on descriptor 3: ``u32 length | bytes``, little endian."""

import os
import struct
import sys
from io import FileIO
from typing import Any

_LENGTH = struct.Struct("<I")
_stream = FileIO(3, "r+", closefd=False)


def _read(size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        count = _stream.readinto(rest)
        if not count:
            sys.exit(0)
        rest = rest[count:]
    return data


def receive() -> bytearray:
    (length,) = _LENGTH.unpack(_read(4))
    return _read(length)


def send(data: Any) -> None:
    for part in (_LENGTH.pack(len(data)), data):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(3, rest) :]

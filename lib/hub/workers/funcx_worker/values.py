"""Arguments from their serialized text, and results to it."""

import base64
import json
import json.encoder
import os
import pickle
import sys
from json.encoder import encode_basestring_ascii
from typing import Any, Callable, Dict, List, Tuple

from .packing import import_dill, need_dill, unpack

NO_KWARGS = "5\n11\n{}"


class NotSerializable(Exception):
    """A result can be written by none of the strategies; the text is for the user."""


_scan_once = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def read_json(text: str) -> Any:
    """As ``json.loads``, without its looks at what the text begins and ends with."""
    try:
        value, end = _scan_once(text, 0)
    except StopIteration:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def read_value(buffer: str) -> Any:
    """A value from its serialized text, by the identifier of its strategy."""
    identifier, _, body = buffer.partition("\n")
    if identifier == "11":
        return json.loads(body)
    if identifier == "00":
        data = base64.b64decode(body)
        try:
            return pickle.loads(data)
        except (ImportError, AttributeError):
            return need_dill("An argument").loads(data)
    if identifier == "13":
        return read_any(unpack(body))
    raise ValueError("An argument is encoded as %r, which this worker cannot read; send JSON (11)." % identifier)


def read_any(buffers: List[str]) -> Any:
    """A value from the first of its encodings that can be read here."""
    for buffer in buffers[:-1]:
        try:
            return read_value(buffer)
        except Exception:
            continue
    return read_value(buffers[-1])


def with_bytes(text: str, tag: str, buffers: List[bytes]) -> Any:
    """Reads packed arguments whose bytes came beside the text."""

    def restore(found: Dict[str, Any]) -> Any:
        return buffers[found[tag]] if len(found) == 1 and tag in found else found

    args, kwargs = unpack(text)
    return json.loads(args[3:], object_hook=restore), json.loads(kwargs[3:], object_hook=restore)


def plain(text: str) -> Tuple[Any, Dict[str, Any]]:
    """Reads packed arguments: two buffers, positional and keyword."""
    if text.endswith(NO_KWARGS):
        # In its place: most arguments are JSON without white space around it, and nothing by keyword.
        at = text.index("\n11\n")
        try:
            positional, stop = _scan_once(text, at + 4)
            if stop == len(text) - len(NO_KWARGS) and text[:at].isdigit():
                return positional, {}
        except (StopIteration, ValueError):
            pass
    positional, keyword = unpack(text)
    return read_value(positional), read_value(keyword)


def write_pickle(value: Any) -> str:
    """Pickle, or dill where the interpreter has it and pickle cannot."""
    try:
        data = pickle.dumps(value, 4)
    except Exception:
        dill = import_dill()
        if dill is None:
            raise
        data = dill.dumps(value, protocol=4)
    return "00\n" + base64.encodebytes(data).decode("ascii")


def not_writable(value: Any, how: str) -> NotSerializable:
    advice = "Return plain data: numbers, text, lists and dicts."
    if import_dill() is None:
        advice += " (dill, which can write more types, is not installed in %s.)" % sys.executable
    return NotSerializable("The result, of type %s, can be written %s. %s" % (type(value).__name__, how, advice))


class ResultWriter:
    """Writes a result by the first strategy that can: JSON, then pickle (dill where the interpreter has it).

    bytes-like values inside JSON travel beside the text: ``{tag: index}`` stands for them in it.
    """

    def __init__(self) -> None:
        self.tag = "$bytes:" + os.urandom(8).hex()
        self.buffers: List[Any] = []
        self._encode = self._encoder()

    def _encoder(self) -> Callable[[Any], str]:
        """json.dumps with one encoder kept, as making it anew costs more than a small value does."""
        make = getattr(json.encoder, "c_make_encoder", None)
        if make is None:
            return json.JSONEncoder(default=self._beside).encode
        markers: Dict[int, Any] = {}
        try:
            c_encode = make(markers, self._beside, encode_basestring_ascii, None, ": ", ", ", False, False, True)
        except TypeError:  # the accelerator of another Python
            return json.JSONEncoder(default=self._beside).encode

        def encode(value: Any) -> str:
            try:
                return "".join(c_encode(value, 0))
            finally:
                markers.clear()

        return encode

    def _beside(self, value: Any) -> Dict[str, int]:
        if isinstance(value, (bytes, bytearray, memoryview)):
            if isinstance(value, memoryview) and not (value.c_contiguous and value.nbytes):
                value = value.tobytes()  # Such a view cannot be cast to bytes.
            self.buffers.append(value)
            return {self.tag: len(self.buffers) - 1}
        raise TypeError("%s is not JSON" % type(value).__name__)

    def write(self, value: Any) -> str:
        if self.buffers:
            self.buffers = []
        kind = type(value)
        if kind is str:
            return "11\n" + encode_basestring_ascii(value)
        try:
            return "11\n" + (int.__repr__(value) if kind is int else self._encode(value))
        except (TypeError, ValueError, RecursionError) as not_json:
            self.buffers = []
            try:
                return write_pickle(value)
            except Exception as not_pickle:
                raise not_writable(value, "neither as JSON (%s) nor as a pickle (%s)" % (not_json, not_pickle)) from None

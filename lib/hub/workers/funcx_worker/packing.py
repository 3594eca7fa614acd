"""Packed buffers, and dill where a strategy needs it."""

import sys
from typing import Any, List, Optional


class NotLoadable(Exception):
    """A registered function cannot be made from its code; the text is for the user."""


def unpack(packed: str) -> List[str]:
    """Splits packed buffers: ``"<length>\\n<buffer>"`` repeated, the length in code points."""
    buffers = []
    position = 0
    while position < len(packed):
        end = packed.index("\n", position)
        length = int(packed[position:end])
        position = end + 1 + length
        buffers.append(packed[end + 1 : position])
    return buffers


def import_dill() -> Optional[Any]:
    """dill, if this interpreter has it. Imported when first needed: it costs about 50 ms."""
    try:
        import dill  # type: ignore[import-not-found]
    except ImportError:
        return None
    return dill


def need_dill(what: str) -> Any:
    dill = import_dill()
    if dill is None:
        raise NotLoadable(
            "%s was serialized with dill, which the interpreter %s does not have. Install it there (%s -m pip install "
            "dill), or send source text and JSON." % (what, sys.executable, sys.executable)
        )
    return dill

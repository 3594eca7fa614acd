"""Runs user functions for the embedded hub: one process, one task at a time, standard library only, Python 3.8+.

The parent starts it as ``python3 worker.py`` with
  fd 0     nothing, fd 1 and 2 one append-only file: whatever user code prints ends up there, never in the protocol;
  fd 3     a stream of frames from the parent;
  fd 4     a stream of records to the parent; it is one of its own, since a parent that writes to a stream whose other
           end is gone cannot read any more what is still in it;
  fd 5     a file shared with the parent, mapped here: the flight recorder (see ``Recorder``).
The first frame received is the configuration; the answer is the hello frame.

Frames to the worker: ``u32 length | u8 kind | payload`` (little endian; the length counts kind and payload).
Frames to the parent: a record a task, ``u32 length | RECORD | extra | body | buffers``.
"""

import json
import os
import platform
import select
import signal
import struct
import sys
import threading
import time
import traceback
from collections import deque
from io import BufferedIOBase, BufferedReader, BytesIO, FileIO
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

_write_bytecode = sys.dont_write_bytecode
sys.dont_write_bytecode = True  # The package's folder is not ours to write to.
from funcx_worker.functions import function_of_code  # noqa: E402
from funcx_worker.output import Output  # noqa: E402
from funcx_worker.packing import NotLoadable  # noqa: E402
from funcx_worker.recorder import (  # noqa: E402
    BEGUN,
    ENDED,
    GATHER_BYTES,
    GATHERED_COUNT,
    SINCE,
    STOP_FROM,
    STOP_TO,
    WRITES,
    Recorder,
)
from funcx_worker.strategies import write_as  # noqa: E402
from funcx_worker.task_id import set_task_id  # noqa: E402
from funcx_worker.values import NotSerializable, ResultWriter, plain, read_json, with_bytes  # noqa: E402

sys.dont_write_bytecode = _write_bytecode

INLET_FD = 3
OUTLET_FD = 4
RECORDER_FD = 5
OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))
IS_POSIX = os.name == "posix"

# Kinds of frames to the worker.
CONFIGURE, FUNCTION, TASKS, TASK_WITH_BYTES, FORGET = range(5)

# Kinds of records to the parent.
HELLO, RESULT, EXCEPTION, TOO_LARGE, UNSERIALIZABLE, UNLOADABLE, RETURNED = range(7)

# length of what follows, then RECORD: sequence, kind, execution start and end (Unix seconds), lengths of extra and body
RECORD = struct.Struct("<IIBddII")
LENGTH = struct.Struct("<I")
FRAME = struct.Struct("<IB")

# Gathered records are written at the latest this long after the last write. Seconds.
GATHER_SECONDS = 0.001

# Before a task, this long after the last look, it is looked whether the parent is still there. Seconds.
LOOK_SECONDS = 0.0001

# What is read at once, of what has arrived.
INBOX_BYTES = 256 * 1024


def traceback_text(error: BaseException) -> str:
    """The traceback as Python prints it, without this worker's own frames."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename.startswith(OWN_FOLDER):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def dill_version() -> Optional[str]:
    """The version of dill, or None where it is missing: by the name of its folder, as importlib.metadata takes longer."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.startswith("dill-") and name.endswith(".dist-info"):
                return name[len("dill-") : -len(".dist-info")]
    return None


def read(source: BufferedIOBase, size: int) -> bytes:
    """As many bytes; without them, which is when the parent is gone in the middle of a frame, this process ends."""
    data = source.read(size)
    if len(data) < size:
        os._exit(0)
    return data


class Worker:
    def __init__(self) -> None:
        self.inlet = BufferedReader(FileIO(INLET_FD, "r", closefd=False), INBOX_BYTES)
        self.recorder = Recorder(RECORDER_FD)
        self.words, self.times = self.recorder.words, self.recorder.times
        self.functions: Dict[int, Any] = {}
        # How results of a function are asked for; of others, this worker decides.
        self.serializers: Dict[int, List[str]] = {}
        self.queue: Deque[Tuple[int, int, str, str, Any]] = deque()
        self.gathered = 0
        self.last_write = 0.0
        self.writer = ResultWriter()
        self.output = Output(64 * 1024)
        self.max_result = 10 * 1024 * 1024
        # True in a process that user code has forked off.
        self.is_fork = False
        self.parent = os.getppid()

    # Frames in

    def receive(self) -> bool:
        """Takes every frame that has arrived whole, or else waits for the next one. False when the parent is gone."""
        arrived = memoryview(self.inlet.peek())
        taken = 0
        while len(arrived) - taken >= FRAME.size:
            length, kind = FRAME.unpack_from(arrived, taken)
            end = taken + LENGTH.size + length
            if end > len(arrived):
                break
            self.take_frame(kind, BytesIO(arrived[taken + FRAME.size : end]), length - 1)
            taken = end
        if taken:
            self.inlet.read(taken)
            return True
        head = self.inlet.read(FRAME.size)
        if len(head) < FRAME.size:
            return False
        length, kind = FRAME.unpack(head)
        self.take_frame(kind, self.inlet, length - 1)
        return True

    def take_frame(self, kind: int, payload: BufferedIOBase, size: int) -> None:
        if kind == TASK_WITH_BYTES:
            header = json.loads(read(payload, LENGTH.unpack(read(payload, LENGTH.size))[0]))
            text = str(read(payload, header["text"]), "utf-8")
            # From a large frame, bytes come straight from the stream to where user code finds them.
            beside = (header["tag"], [read(payload, each) for each in header["sizes"]]) if header["sizes"] else None
            self.queue.append((header["key"], header["seq"], header["id"], text, beside))
            return
        text = str(read(payload, size), "utf-8")
        if kind == TASKS:
            key, first, ids, texts = read_json(text)
            for seq, (task_id, packed) in enumerate(zip(ids, texts), first):
                self.queue.append((key, seq, task_id, packed, None))
        elif kind == FUNCTION:
            definition = json.loads(text)
            self.functions[definition["key"]] = definition["code"]
            if definition.get("serializers"):
                self.serializers[definition["key"]] = definition["serializers"]
        elif kind == FORGET:
            key = json.loads(text)
            self.functions.pop(key, None)
            self.serializers.pop(key, None)
        elif kind == CONFIGURE:
            self.configure(json.loads(text))

    def configure(self, configuration: Dict[str, Any]) -> None:
        self.max_result = configuration["max_result_chars"]
        self.output.limit = configuration["max_output_bytes"]
        memory = configuration.get("memory_bytes")
        if memory:
            try:
                import resource

                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            except (ImportError, ValueError, OSError) as error:
                print("The memory limit could not be set: %s" % error, file=sys.stderr)
        hello = {
            "pid": os.getpid(),
            "os": platform.platform(),
            "python_version": platform.python_version(),
            "dill_version": dill_version(),
            "executable": sys.executable,
        }
        self.record(0, HELLO, 0.0, 0.0, b"", json.dumps(hello).encode("ascii"), ())
        self.write()

    # Records out

    def record(self, seq: int, kind: int, start: float, end: float, extra: bytes, body: bytes, buffers: Any) -> None:
        """Hands over how a task ended: gathers a small record in the recorder, writes a large one at once."""
        size = RECORD.size + len(extra) + len(body) + sum(map(len, buffers))
        head = RECORD.pack(size - LENGTH.size, seq, kind, start, end, len(extra), len(body))
        if size > GATHER_BYTES:
            self.write()
            for part in (head + extra, body, *buffers):
                self.send(part)
            return
        if self.gathered + size > GATHER_BYTES:
            self.write()
        at = self.gathered
        self.gathered = end_at = at + size
        self.recorder.gathered[at:end_at] = b"".join((head, extra, body, *buffers)) if extra else head + body
        self.words[GATHERED_COUNT] = end_at

    @staticmethod
    def send(data: Any) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(OUTLET_FD, rest) :]

    def write(self) -> None:
        if self.gathered:
            self.send(self.recorder.gathered[: self.gathered])
            self.gathered = 0
            self.words[GATHERED_COUNT] = 0
            self.words[WRITES] += 1

    # Tasks

    def function(self, key: int) -> Callable[..., Any]:
        """The function of a key, made from its code when first called and kept warm."""
        known = self.functions[key]
        if isinstance(known, str):
            known = self.functions[key] = function_of_code(known)
        return known  # type: ignore[no-any-return]

    def write_as_asked(self, key: int, result: Any) -> str:
        self.writer.buffers = []
        return write_as(result, self.serializers[key])

    def run(self, key: int, seq: int, task_id: str, text: str, beside: Any) -> float:
        words, writer = self.words, self.writer
        start = time.time()
        self.times[SINCE] = start
        words[BEGUN] = seq + 1
        set_task_id(task_id)  # In between: by now the parent sees that the task has begun.
        if words[STOP_FROM] <= seq < words[STOP_TO]:
            self.record(seq, RETURNED, 0.0, 0.0, b"", b"", ())
            words[ENDED] = seq + 1
            return start
        buffers: Any = ()
        kind = EXCEPTION
        try:
            function = self.function(key)
            args, kwargs = plain(text) if beside is None else with_bytes(text, *beside)
            result = function(*args, **kwargs)
            serialized = writer.write(result) if key not in self.serializers else self.write_as_asked(key, result)
            body = serialized.encode("ascii")
            size = len(body)
            if writer.buffers:
                buffers = [memoryview(buffer).cast("B") for buffer in writer.buffers]
                size += sum(map(len, buffers))
            kind = RESULT
            if size > self.max_result:
                kind, body, buffers = TOO_LARGE, str(size).encode("ascii"), ()
        except NotLoadable as error:
            kind, body = UNLOADABLE, str(error).encode("utf-8", "backslashreplace")
        except NotSerializable as error:
            kind, body = UNSERIALIZABLE, str(error).encode("utf-8", "backslashreplace")
        except BaseException as error:
            if self.is_fork:
                end_fork(error)
            body = self.exception_text(error).encode("utf-8", "backslashreplace")
            if len(body) > self.max_result:
                body = body[: self.max_result // 2] + b"\n...\n" + body[-1024:]
        if self.is_fork:
            end_fork(None)
        end = time.time()
        printed = self.output.take()
        extra = b""
        if printed or buffers:
            more = {"output": printed, "tag": writer.tag, "sizes": [len(buffer) for buffer in buffers]}
            extra = json.dumps(more).encode("ascii")
        self.record(seq, kind, start, end, extra, body, buffers)
        words[ENDED] = seq + 1
        return end

    @staticmethod
    def exception_text(error: BaseException) -> str:
        try:
            return traceback_text(error)
        except Exception:
            return "%s: (its text could not be made)\n" % type(error).__name__

    def is_orphan(self) -> bool:
        """Elsewhere, the parent of an orphan stays what it was."""
        return IS_POSIX and os.getppid() != self.parent

    def serve(self) -> None:
        queue = self.queue
        ended = 0.0
        while True:
            looked = -1.0
            while queue:
                # Tasks that have not begun are for the parent's successor.
                if ended - looked > LOOK_SECONDS:
                    looked = ended
                    if self.is_orphan():
                        end_with_all()
                ended = self.run(*queue.popleft())
                if self.gathered and (not queue or ended - self.last_write > GATHER_SECONDS):
                    self.write()
                    self.last_write = ended
            if not self.receive():
                return


def end_with_all() -> None:
    """Ends this process, at once, and what it started."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def die_with_parent() -> None:
    """Ends this process and what it started when the parent is gone, even in the middle of a task."""
    if not hasattr(select, "poll"):
        return

    def watch() -> None:
        hang_up = select.poll()
        hang_up.register(INLET_FD, 0)  # no event asked for: only a hang-up is reported
        hang_up.poll()
        end_with_all()

    threading.Thread(target=watch, daemon=True, name="funcx-parent").start()


def stay_alone(worker: Worker) -> None:
    """Keeps processes that user code forks off from speaking in the name of this one."""
    if not hasattr(os, "register_at_fork"):
        return

    def forked() -> None:
        if not worker.is_fork:
            worker.is_fork = True
            os.close(INLET_FD)
            os.close(OUTLET_FD)

    os.register_at_fork(after_in_child=forked)


def end_fork(error: Optional[BaseException]) -> None:
    """Ends a forked process that came back from user code, as Python ends one that comes to the end of its program."""
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(type(error), error, error.__traceback__)
        status = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status & 0xFF)


def use_working_folder() -> None:
    """User code imports modules of its working folder, not of this package."""
    sys.path[0] = os.getcwd()


def be_no_program() -> None:
    """Processes that multiprocessing spawns run the main program's file once more, unless it has none."""
    del sys.modules["__main__"].__file__


if __name__ == "__main__":
    use_working_folder()
    be_no_program()
    for fd in (INLET_FD, OUTLET_FD, RECORDER_FD):
        os.set_inheritable(fd, False)
    die_with_parent()
    worker = Worker()
    stay_alone(worker)
    worker.serve()
    os._exit(0)

"""A real worker process, spoken to byte by byte as the hub does."""

import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import funcx_worker
from funcx_worker.recorder import BEGUN, ENDED, GATHER_BYTES, GATHERED_COUNT, STOP_FROM, STOP_TO, Recorder

WORKER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(funcx_worker.__file__))), "worker.py")
CONFIGURE, FUNCTION, TASKS, TASK_WITH_BYTES, FORGET = range(5)
HELLO, RESULT, EXCEPTION, TOO_LARGE, UNSERIALIZABLE, UNLOADABLE, RETURNED = range(7)


class Record(NamedTuple):
    seq: int
    kind: int
    extra: Optional[Dict[str, Any]]
    body: str
    beside: bytes


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack("<IB", len(payload) + 1, kind) + payload


def json_frame(kind: int, value: Any) -> bytes:
    return frame(kind, json.dumps(value).encode())


def function(key: int, source: str) -> bytes:
    body = "st\nf:" + source
    return json_frame(FUNCTION, {"key": key, "code": "%d\n%s" % (len(body), body)})


def packed(*args: Any) -> str:
    text = "11\n" + json.dumps(args)
    return "%d\n%s5\n11\n{}" % (len(text), text)


def tasks(key: int, first: int, *calls: Tuple[Any, ...]) -> bytes:
    ids = ["task-%d" % (first + i) for i in range(len(calls))]
    return json_frame(TASKS, [key, first, ids, [packed(*call) for call in calls]])


def raw_task(key: int, seq: int, text: str, tag: str = "", buffers: Tuple[bytes, ...] = ()) -> bytes:
    data = text.encode()
    sizes = [len(buffer) for buffer in buffers]
    fields = {"key": key, "seq": seq, "id": "task-%d" % seq, "text": len(data), "tag": tag, "sizes": sizes}
    header = json.dumps(fields).encode()
    return frame(TASK_WITH_BYTES, struct.pack("<I", len(header)) + header + data + b"".join(buffers))


# Starts a worker and ends with its own input.
PARENT_THAT_ENDS = """
import os, subprocess, sys, tempfile
worker, stream, recorder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def as_the_hub_does():
    # Neither is one of the files that the other becomes.
    line, file = os.dup(stream), os.dup(recorder)
    os.dup2(line, 3)
    os.dup2(file, 5)
    os.dup2(3, 4)
    os.setsid()

output = tempfile.TemporaryFile("a+b")
subprocess.Popen(
    [sys.executable, worker],
    stdin=subprocess.DEVNULL, stdout=output, stderr=output, close_fds=False, preexec_fn=as_the_hub_does,
)
os.close(stream)
sys.stdin.read()
os._exit(0)
"""


class Speaking(unittest.TestCase):
    def setUp(self) -> None:
        self.file = tempfile.TemporaryFile()
        self.file.write(bytes(Recorder.GATHERED + GATHER_BYTES))
        self.file.flush()
        self.output = tempfile.TemporaryFile("a+b")
        self.map = mmap.mmap(self.file.fileno(), Recorder.GATHERED + GATHER_BYTES)
        self.words = memoryview(self.map)[: Recorder.GATHERED].cast("Q")
        self.stream, theirs = socket.socketpair()
        self.stream.settimeout(20)
        self.inbox = b""

        def as_the_hub_does() -> None:
            stream, recorder = os.dup(theirs.fileno()), os.dup(self.file.fileno())
            os.dup2(stream, 3)
            os.dup2(recorder, 5)
            os.dup2(3, 4)
            os.setsid()

        self.process = subprocess.Popen(
            [sys.executable, WORKER],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            close_fds=False,
            preexec_fn=as_the_hub_does,
        )
        theirs.close()
        self.stream.sendall(json_frame(CONFIGURE, {"max_result_chars": 100_000, "max_output_bytes": 1000}))
        self.hello = self.record()

    def tearDown(self) -> None:
        self.stream.close()
        self.process.kill()
        self.process.wait()
        self.words.release()
        self.map.close()
        self.file.close()
        self.output.close()

    def record(self) -> Record:
        while len(self.inbox) < 4 or len(self.inbox) < 4 + struct.unpack_from("<I", self.inbox)[0]:
            chunk = self.stream.recv(1 << 20)
            if not chunk:
                self.fail("the worker has ended with %r" % self.process.wait())
            self.inbox += chunk
        end = 4 + struct.unpack_from("<I", self.inbox)[0]
        seq, kind, start, stop, extra_size, body_size = struct.unpack_from("<IBddII", self.inbox, 4)
        at = 33
        extra, body = self.inbox[at : at + extra_size], self.inbox[at + extra_size : at + extra_size + body_size]
        beside = self.inbox[at + extra_size + body_size : end]
        self.inbox = self.inbox[end:]
        self.assertLessEqual(start, stop)
        return Record(seq, kind, json.loads(extra) if extra else None, body.decode(), beside)

    def records(self, count: int) -> List[Record]:
        return [self.record() for _ in range(count)]

    def test_says_hello(self) -> None:
        self.assertEqual(self.hello.kind, HELLO)
        hello = json.loads(self.hello.body)
        self.assertEqual(hello["pid"], self.process.pid)
        self.assertEqual(hello["python_version"], "%d.%d.%d" % sys.version_info[:3])

    def test_runs_tasks_in_their_order(self) -> None:
        self.stream.sendall(function(1, "def f(x): return x * 2") + tasks(1, 0, *[(i,) for i in range(500)]))
        found = self.records(500)
        self.assertEqual([(r.seq, r.kind, r.body) for r in found], [(i, RESULT, "11\n%d" % (i * 2)) for i in range(500)])

    def test_takes_frames_cut_anywhere(self) -> None:
        whole = function(1, "def f(x): return x") + tasks(1, 0, ("é😀",), (2,)) + raw_task(1, 2, packed("raw ✓"))
        for step in (1, 3, 7, 64):
            for at in range(0, len(whole), step):
                self.stream.sendall(whole[at : at + step])
            self.assertEqual([json.loads(r.body[3:]) for r in self.records(3)], ["é😀", 2, "raw ✓"])

    def test_takes_large_frames_beside_small_ones(self) -> None:
        self.stream.sendall(function(1, "def f(x): return len(x)"))
        sizes = [10, 300_000, 5, 262_139, 262_140, 262_141, 9_000_000, 1]
        self.stream.sendall(b"".join(raw_task(1, i, packed("x" * size)) for i, size in enumerate(sizes)))
        self.assertEqual([r.body for r in self.records(len(sizes))], ["11\n%d" % size for size in sizes])

    def test_carries_bytes_both_ways(self) -> None:
        text = packed({"T": 1}, [{"T": 0}])
        self.stream.sendall(function(1, "def f(a, b): return {'a': a, 'b': b}"))
        self.stream.sendall(raw_task(1, 0, text, "T", (b"zero\0", b"")))
        record = self.record()
        assert record.extra is not None
        tag = record.extra["tag"]
        self.assertEqual(json.loads(record.body[3:]), {"a": {tag: 0}, "b": [{tag: 1}]})
        self.assertEqual(record.extra["sizes"], [0, 5])
        self.assertEqual(record.beside, b"zero\0")

    def test_tells_every_kind_of_end(self) -> None:
        self.stream.sendall(function(1, "def f(how): return {'n': 1, 'l': lambda: 1, 'b': 'x' * 100_000}[how]"))
        self.stream.sendall(function(2, "def g(): pass") + function(3, "def f(:"))
        self.stream.sendall(tasks(1, 0, ("n",), ("l",), ("b",), ("missing",)) + tasks(2, 4, ()) + tasks(3, 5, ()))
        kinds = [record.kind for record in self.records(6)]
        self.assertEqual(kinds, [RESULT, UNSERIALIZABLE, TOO_LARGE, EXCEPTION, UNLOADABLE, EXCEPTION])

    def test_forgets_a_function_and_learns_it_anew(self) -> None:
        self.stream.sendall(function(1, "calls = []\ndef f():\n    calls.append(1)\n    return len(calls)"))
        self.stream.sendall(tasks(1, 0, (), ()))
        self.assertEqual([r.body for r in self.records(2)], ["11\n1", "11\n2"])
        self.stream.sendall(json_frame(FORGET, 1) + function(1, "def f(): return 'new'") + tasks(1, 2, ()))
        self.assertEqual(self.record().body, '11\n"new"')

    def test_records_what_it_is_in(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            bell = os.path.join(folder, "bell")
            server = socket.socket(socket.AF_UNIX)
            server.bind(bell)
            server.listen(1)
            source = """def f(bell):
    import socket
    line = socket.socket(socket.AF_UNIX)
    line.connect(bell)
    line.recv(1)"""
            self.assertEqual(self.words[BEGUN], 0)
            self.stream.sendall(function(1, source) + tasks(1, 0, (bell,)))
            line, _ = server.accept()
            self.assertEqual(self.words[BEGUN], 1)
            self.assertEqual(self.words[ENDED], 0)
            line.sendall(b".")
            self.record()
            line.close()
            server.close()
        # The next task proves that the first is over.
        self.stream.sendall(function(2, "def f(): pass") + tasks(2, 1, ()))
        self.record()
        self.assertEqual(self.words[BEGUN], 2)
        self.assertGreaterEqual(self.words[ENDED], 1)

    def test_does_not_begin_what_was_stopped(self) -> None:
        self.words[STOP_TO] = 5
        self.words[STOP_FROM] = 2
        self.stream.sendall(function(1, "def f(x): return x") + tasks(1, 0, *[(i,) for i in range(8)]))
        kinds = [record.kind for record in self.records(8)]
        self.assertEqual(kinds, [RESULT, RESULT, RETURNED, RETURNED, RETURNED, RESULT, RESULT, RESULT])

    def test_leaves_what_it_had_finished_when_it_dies(self) -> None:
        source = "def f(x):\n    import os\n    return os._exit(3) if x == 9 else x"
        self.stream.sendall(function(1, source) + tasks(1, 0, *[(i,) for i in range(10)]))
        self.assertEqual(self.process.wait(), 3)
        sent = self.inbox
        while True:
            chunk = self.stream.recv(1 << 20)
            if not chunk:
                break
            sent += chunk
        count = self.words[GATHERED_COUNT]
        self.inbox = sent + self.map[Recorder.GATHERED : Recorder.GATHERED + count]
        found = {}
        while self.inbox:
            record = self.record()
            found[record.seq] = record.body
        self.assertEqual(found, {i: "11\n%d" % i for i in range(9)})
        self.assertEqual((self.words[BEGUN], self.words[ENDED]), (10, 9))

    def test_ends_when_the_hub_is_gone_though_it_is_busy(self) -> None:
        self.stream.sendall(function(1, "def f():\n    while True: pass") + tasks(1, 0, ()))
        self.stream.shutdown(socket.SHUT_RDWR)
        self.stream.close()
        self.assertEqual(self.process.wait(20), -signal.SIGKILL)

    def test_begins_nothing_when_the_hub_is_gone_though_its_line_is_not(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            bell, marks = os.path.join(folder, "bell"), os.path.join(folder, "marks")
            server = socket.socket(socket.AF_UNIX)
            server.bind(bell)
            server.listen(1)
            server.settimeout(20)
            source = """def f(i, bell, marks):
    import socket
    if i == 0:
        line = socket.socket(socket.AF_UNIX)
        line.connect(bell)
        line.recv(1)
    with open(marks, "a") as file:
        file.write(str(i))"""
            frames = function(1, source) + tasks(1, 0, *[(i, bell, marks) for i in range(9)])
            # This process holds the hub's end of the line; another one is the parent, and ends.
            stream, theirs = socket.socketpair()
            stream.settimeout(20)
            ends = (theirs.fileno(), self.file.fileno())
            program = [sys.executable, "-c", PARENT_THAT_ENDS, WORKER, *map(str, ends)]
            parent = subprocess.Popen(program, stdin=subprocess.PIPE, pass_fds=ends)
            theirs.close()
            stream.sendall(json_frame(CONFIGURE, {"max_result_chars": 1000, "max_output_bytes": 1000}) + frames)
            line, _ = server.accept()
            parent.communicate(b"")
            line.sendall(b".")
            while stream.recv(1 << 16):
                pass
            stream.close()
            with open(marks) as file:
                self.assertEqual(file.read(), "0")
            self.assertEqual(self.words[BEGUN], 1)
            line.close()
            server.close()

    def test_ends_when_the_hub_is_gone_and_it_is_idle(self) -> None:
        self.stream.close()
        self.assertIn(self.process.wait(20), (0, -signal.SIGKILL))

    def test_ends_in_the_middle_of_a_frame_that_never_comes_whole(self) -> None:
        self.stream.sendall(struct.pack("<IB", 9_000_000, TASK_WITH_BYTES) + b"x" * 1000)
        self.stream.close()
        self.assertIn(self.process.wait(20), (0, -signal.SIGKILL))

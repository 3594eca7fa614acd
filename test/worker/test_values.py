import base64
import collections
import datetime
import enum
import json
import pickle
import threading
import unittest

from funcx_worker.values import NotSerializable, ResultWriter, plain, read_value, with_bytes


class ReadingArguments(unittest.TestCase):
    def test_reads_what_the_sdk_packs_with_dill(self) -> None:
        # (2,), {"b": 40}. Source: reference of Globus Compute, section 10.
        text = "28\n00\ngASVBQAAAAAAAABLAoWULg==\n32\n00\ngASVCgAAAAAAAAB9lIwBYpRLKHMu\n"
        self.assertEqual(plain(text), ((2,), {"b": 40}))

    def test_reads_json_with_and_without_keywords(self) -> None:
        self.assertEqual(plain('11\n11\n[1, "😀"]5\n11\n{}'), ([1, "😀"], {}))
        self.assertEqual(plain('6\n11\n[1]11\n11\n{"a": 2}'), ([1], {"a": 2}))
        # Keywords that end as no keywords do.
        keywords = '11\n{"a": "5\\n11\\n", "b": {}}'
        self.assertEqual(plain("5\n11\n[]%d\n%s" % (len(keywords), keywords)), ([], {"a": "5\n11\n", "b": {}}))

    def test_reads_both_strategies_in_one(self) -> None:
        self.assertEqual(read_value('13\n11\n11\n{"a": 1}32\n00\ngASVCgAAAAAAAAB9lIwBYpRLKHMu\n'), {"a": 1})

    def test_takes_json_at_the_end_of_another_encoding_for_a_part_of_it(self) -> None:
        pickled = "00\n" + base64.b64encode(pickle.dumps(("first",))).decode()
        both = "13\n%d\n%s%d\n%s" % (len(pickled), pickled, 13, '11\n["second"]')
        self.assertEqual(plain("%d\n%s5\n11\n{}" % (len(both), both)), (("first",), {}))

    def test_ignores_how_base64_is_broken_into_lines(self) -> None:
        data = pickle.dumps("x" * 80, 4)
        for body in (base64.encodebytes(data), base64.b64encode(data)):
            self.assertEqual(read_value("00\n" + body.decode()), "x" * 80)

    def test_says_what_it_cannot_read(self) -> None:
        with self.assertRaisesRegex(ValueError, "'zz'.*send JSON"):
            read_value("zz\n1")

    def test_puts_bytes_where_they_belong_and_nowhere_else(self) -> None:
        args, kwargs = '11\n[{"T": 0}, {"T": 1, "x": 2}, {"y": [{"T": 1}]}]', '11\n{"k": {"T": 0}}'
        text = "%d\n%s%d\n%s" % (len(args), args, len(kwargs), kwargs)
        self.assertEqual(
            with_bytes(text, "T", [b"zero", b"one"]),
            ([b"zero", {"T": 1, "x": 2}, {"y": [b"one"]}], {"k": b"zero"}),
        )


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    pass


class WritingResults(unittest.TestCase):
    def setUp(self) -> None:
        self.writer = ResultWriter()

    def test_writes_json_as_json_does(self) -> None:
        for value in (
            None, True, 0, -1, 2**70, 0.1, -0.0, float("nan"), float("-inf"), "", "é😀\ud800\0\u2028", Text("x"), Colour.RED,
            [], {}, (1, (2,)), {"a": {"b": [1, None]}}, {1: 2, None: 3, True: 4, 1.5: 6}, collections.OrderedDict(b=1, a=2),
            collections.namedtuple("P", "x y")(1, 2),
        ):  # fmt: skip
            with self.subTest(repr(value)):
                self.assertEqual(self.writer.write(value), "11\n" + json.dumps(value))

    def test_puts_bytes_beside_the_text(self) -> None:
        value = {"a": b"1", "b": [bytearray(b"2"), memoryview(b"345")[1:]]}
        text = self.writer.write(value)
        self.assertEqual([bytes(buffer) for buffer in self.writer.buffers], [b"1", b"2", b"45"])
        tag = self.writer.tag
        self.assertEqual(json.loads(text[3:]), {"a": {tag: 0}, "b": [{tag: 1}, {tag: 2}]})
        self.writer.write(1)
        self.assertEqual(self.writer.buffers, [])

    def test_pickles_what_is_not_json(self) -> None:
        for value in ({1, 2}, 1j, datetime.date(2024, 1, 2), {(1, 2): 3}, [b"x", {1}], 10**5000, Ellipsis):
            with self.subTest(repr(type(value))):
                text = self.writer.write(value)
                self.assertTrue(text.startswith("00\n"))
                self.assertEqual(pickle.loads(base64.b64decode(text[3:])), value)
                self.assertEqual(self.writer.buffers, [])

    def test_goes_on_after_a_circle_and_after_what_cannot_be_written(self) -> None:
        circle: list = []
        circle.append(circle)
        self.assertTrue(self.writer.write(circle).startswith("00\n"))
        with self.assertRaisesRegex(NotSerializable, "of type list.*Return plain data"):
            self.writer.write([threading.Lock()])
        # The same object twice is no circle.
        shared = [1]
        self.assertEqual(self.writer.write([shared, shared]), "11\n[[1], [1]]")

    def test_does_not_hide_what_user_code_raises(self) -> None:
        class Odd(dict):
            def items(self):  # type: ignore[no-untyped-def]
                raise KeyError("odd")

        with self.assertRaises(KeyError):
            self.writer.write(Odd(a=1))
        self.assertEqual(self.writer.write([1]), "11\n[1]")

import base64
import sys
import unittest
from importlib.util import find_spec

from funcx_worker.functions import function_of_code
from funcx_worker.packing import NotLoadable

SOURCE = "def f(x):\n    return x\n"

# ("f", SOURCE) as dill writes it and as protocol 2 does. Source: reference of Globus Compute, section 2.
PICKLED = "gASVIQAAAAAAAACMAWaUjBdkZWYgZih4KToKICAgIHJldHVybiB4CpSGlC4="
PICKLED_2 = "gAMoWAEAAABmWBcAAABkZWYgZih4KToKICAgIHJldHVybiB4CnQu"


def packed(*buffers: str) -> str:
    return "".join("%d\n%s" % (len(buffer), buffer) for buffer in buffers)


class LoadingFunctions(unittest.TestCase):
    def test_reads_every_strategy_that_holds_source(self) -> None:
        in_base64 = base64.b64encode(("f:" + SOURCE).encode()).decode()
        for buffer in (
            "st\nf:" + SOURCE,
            "sd\nf:" + SOURCE,
            "st\n" + in_base64,  # SDK 3.16.0 only
            "03\n" + PICKLED,
            "04\n" + PICKLED + "\n",
            "03\n" + PICKLED_2,
            "12\n" + packed("zz\n?", "st\nf:" + SOURCE),
            "12\n" + packed("01\nbroken", "sd\nf:" + SOURCE),
        ):
            with self.subTest(buffer[:20]):
                self.assertEqual(function_of_code(packed(buffer))(7), 7)

    def test_calls_what_the_name_says_and_counts_characters(self) -> None:
        source = "st\ng:def f(): return '😀'\ng = f"
        self.assertEqual(function_of_code(packed(source))(), "😀")

    def test_gives_each_its_own_names(self) -> None:
        first = function_of_code(packed("st\nf:X = 1\ndef f(): return X"))
        function_of_code(packed("st\nf:X = 2\ndef f(): return X"))
        self.assertEqual(first(), 1)

    def test_names_nothing_main(self) -> None:
        self.assertEqual(function_of_code(packed("st\nf:def f(): return __name__"))(), "builtins")

    def test_inherits_nothing_from_the_worker(self) -> None:
        names = function_of_code(packed("st\nf:def f(): return sorted(globals())"))()
        self.assertEqual(names, ["__builtins__", "__name__", "f"])

    def test_says_what_is_missing(self) -> None:
        with self.assertRaisesRegex(NotLoadable, "'h'; it defines f, g"):
            function_of_code(packed("st\nh:def f(): pass\nasync def g(): pass"))
        with self.assertRaisesRegex(NotLoadable, "'h' and no other"):
            function_of_code(packed("st\nh:h = 1"))

    def test_says_what_it_cannot_read(self) -> None:
        for code in ("", "rubbish", packed("11\n{}"), packed("10\n04\n:x"), packed("zz\n"), packed("st\nf:", "11\n{}")):
            with self.subTest(code), self.assertRaises(NotLoadable):
                function_of_code(code)

    def test_lets_errors_of_the_source_through(self) -> None:
        with self.assertRaises(SyntaxError):
            function_of_code(packed("st\nf:def f(:"))
        with self.assertRaises(ZeroDivisionError):
            function_of_code(packed("st\nf:1 / 0"))

    @unittest.skipIf(find_spec("dill"), "dill is installed")
    def test_says_how_to_get_dill_where_it_is_needed(self) -> None:
        with self.assertRaisesRegex(NotLoadable, sys.executable + ".*-m pip install dill"):
            function_of_code(packed("01\ngAU="))

    @unittest.skipUnless(find_spec("dill"), "dill is not installed")
    def test_reads_what_dill_has_compiled(self) -> None:
        import dill  # type: ignore[import-not-found]

        code = base64.b64encode(dill.dumps(lambda x: x + 1)).decode()
        self.assertEqual(function_of_code(packed("01\n" + code))(1), 2)

import unittest

from funcx_worker.packing import unpack


class Unpacking(unittest.TestCase):
    def test_counts_code_points(self) -> None:
        # Globus Compute SDK 4.15, `pack_buffers`: "😀" with its quotes and header has six.
        self.assertEqual(unpack('6\n11\n"😀"5\n11\n{}'), ['11\n"😀"', "11\n{}"])

    def test_takes_whatever_is_inside(self) -> None:
        self.assertEqual(unpack("6\n11\n[1]5\n11\n{}"), ["11\n[1]", "11\n{}"])
        self.assertEqual(unpack("0\n3\n1\n2"), ["", "1\n2"])
        self.assertEqual(unpack(""), [])

    def test_refuses_what_is_not_packed(self) -> None:
        for text in ("rubbish", "x\ny", "3"):
            with self.assertRaises(ValueError):
                unpack(text)

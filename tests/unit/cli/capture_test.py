#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tandemctl capture against a stand-in for the API: capture_test.py TANDEMCTL [unittest's arguments].

Files are read by tshark, frames are made by scapy.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPv6, Raw  # pylint: disable=E0611

sys.dont_write_bytecode = True  # a test that is run as root leaves nothing behind

from mock_api import Api  # noqa: E402 pylint: disable=wrong-import-position

OK, NEGATIVE, USAGE, UNREACHABLE, PERMISSION, NOT_FOUND, CONFLICT = range(7)
T0 = 1700000000123456789
LINK = {"dst": "02:00:00:00:0f:01", "src": "02:00:00:00:00:01"}
SYN = Ether(**LINK) / IP(src="203.0.113.7", dst="192.0.2.10") / TCP(sport=4711, dport=80, flags="S")
END = "tandemctl: tandemd has ended it\n"


def leg(frame, which="in", **more):
    return {"time_ns": T0, "leg": which, "interface": "front" if which == "in" else "back", "verdict": "forwarded",
            "action": "send", "vip": "web", "service": "web", "server": "web/web1", "length": len(frame),
            "frame": bytes(frame).hex(), **more}


def lines(*objects):
    return "".join(json.dumps(o) + "\n" for o in objects).encode()


class CaptureTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="tandemctl-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.socket = os.path.join(self.dir, "api.sock")
        self.api = Api(self.socket)
        thread = threading.Thread(target=self.api.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.api.server_close)
        self.addCleanup(self.api.shutdown)
        self.addCleanup(self.api.released.set)

    def words(self, *words):
        return [TANDEMCTL, "-s", self.socket, "capture", *words]

    def capture(self, *words, code=UNREACHABLE, stderr=None):
        """The answer's end is the daemon's, so that this is no success unless --count came first."""
        done = subprocess.run(self.words(*words), capture_output=True, timeout=30, check=False, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        if stderr is not None:
            self.assertEqual(done.stderr, stderr)
        return done.stdout

    def give(self, *objects):
        self.api.give("POST", "/v1/capture", lines(*objects))


class Lines(CaptureTest):
    def test_a_line_for_each_leg(self):
        out = Ether(**LINK) / IP(src="203.0.113.7", dst="198.51.100.11") / TCP(sport=4711, dport=8080, flags="SA")
        self.give(leg(SYN), leg(out, "out"), {"lost": 3}, leg(SYN, verdict="no_server", action="drop", service=None,
                                                               server=None))
        self.assertEqual(self.capture("web", stderr=f"2 packets captured, 3 lost on the way here\n{END}"), """\
22:13:20.123456 in  front 203.0.113.7:4711 > 192.0.2.10:80 tcp S, 54 bytes: forwarded, vip web, service web, server web/web1
22:13:20.123456 out back 203.0.113.7:4711 > 198.51.100.11:8080 tcp SA, 54 bytes: forwarded, vip web, service web, server web/web1
22:13:20.123456 in  front 203.0.113.7:4711 > 192.0.2.10:80 tcp S, 54 bytes: no_server, vip web
""")
        self.assertEqual(json.loads(self.api.requests[-1][2]), {"vip": "web"})

    def test_what_frames_are(self):
        ip4, ip6 = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8::1", dst="2001:db8::2")
        for frame, text in (
            (Ether(**LINK) / ip6 / UDP(sport=53, dport=54), "[2001:db8::1]:53 > [2001:db8::2]:54 udp"),
            (Ether(**LINK) / Dot1AD(vlan=7) / Dot1Q(vlan=100) / ip4 / ICMP(), "vlan 7 vlan 100 192.0.2.1 > 192.0.2.2 icmp type 8 code 0"),
            (Ether(**LINK) / ip4 / IP() / TCP(), "192.0.2.1 > 192.0.2.2 protocol 4"),
            (Ether(**LINK) / ARP(psrc="192.0.2.1", pdst="192.0.2.9"), "arp who has 192.0.2.9"),
            (Ether(**LINK) / ARP(op=2, psrc="192.0.2.1", pdst="192.0.2.9"), "arp answer for 192.0.2.1"),
            (Ether(**LINK) / IP(src="192.0.2.1", dst="192.0.2.2", frag=10, proto=17) / Raw(bytes(8)), "part of an IPv4 packet"),
            (Ether(**LINK, type=0x88cc) / Raw(b"x"), "EtherType 0x88cc"),
            (bytes(Ether(**LINK) / ip6)[:50], "EtherType 0x86dd"),
            (bytes(Ether(**LINK) / ip4)[:20], "truncated IPv4"),
            (bytes(Ether(**LINK) / Dot1Q())[:16], "EtherType 0x8100"),
            (bytes(SYN)[:40], "203.0.113.7:4711 > 192.0.2.10:80 tcp"),
            (b"\x01", "EtherType 0x0000"),
        ):
            with self.subTest(text):
                self.give(leg(frame))
                self.assertIn(f" front {text}, ", self.capture("web"))

    def test_json(self):
        self.give(leg(SYN), {"lost": 1})
        self.assertEqual(json.loads(self.capture("web", "-j")), leg(SYN))

    def test_what_is_no_leg(self):
        self.api.give("POST", "/v1/capture", b"what\n[]\n{}\n{\"frame\": \"0g\"}\n{\"leg\": 1}\n" + lines(leg(SYN)))
        self.assertEqual(self.capture("web").count("\n"), 1)

    def test_names_do_no_harm(self):
        self.give(leg(SYN, interface="\x1b[2J", vip="\x1b[31m"))
        self.assertNotIn("\x1b", self.capture("web"))


class Ends(CaptureTest):
    def test_count(self):
        drop = leg(SYN, verdict="no_server", action="drop")
        for legs, printed in (
            ((leg(SYN), leg(SYN, "out"), leg(SYN), leg(SYN, "out"), leg(SYN)), 4),
            ((drop, drop, drop), 2),
            ((leg(SYN), drop, drop), 2),
            ((drop, leg(SYN), leg(SYN, "out"), drop), 3),
            ((drop, leg(SYN), drop), 2),
        ):
            with self.subTest(legs):
                self.give(*legs)
                out = self.capture("web", "--count", "2", code=OK, stderr="2 packets captured, 0 lost on the way here\n")
                self.assertEqual(out.count("\n"), printed)

    def test_interrupted(self):
        self.api.answers["POST", "/v1/capture"] = "hang"
        process = subprocess.Popen(self.words("web"), stderr=subprocess.PIPE, text=True)
        while not self.api.requests:
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual((process.communicate(timeout=10)[1], process.returncode),
                         ("0 packets captured, 0 lost on the way here\n", OK))

    def test_refused(self):
        self.api.problem("POST", "/v1/capture", 409, "somebody is capturing already.")
        self.capture("web", code=CONFLICT, stderr="tandemctl: somebody is capturing already\n")
        self.api.problem("POST", "/v1/capture", 404, "there is no server \"web/x\".")
        self.capture("web/x", code=NOT_FOUND, stderr="tandemctl: there is no server \"web/x\"\n")
        self.assertEqual(json.loads(self.api.requests[-1][2]), {"server": "web/x"})

    def test_usage(self):
        self.capture("web", "--count", "0", code=USAGE, stderr='tandemctl: --count takes a number from 1, not "0"\n')
        self.capture(code=USAGE, stderr="tandemctl: usage: tandemctl capture VIP|POOL/SERVER\n")
        done = subprocess.run([TANDEMCTL, "vip", "list", "--count", "3"], capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (USAGE, b'tandemctl: --write and --count are for "capture" only\n'))


class Files(CaptureTest):
    def tshark(self, path, *columns):
        words = ["tshark", "-r", path, "-T", "fields"]
        for column in columns:
            words += ["-e", column]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return [row.split("\t") for row in done.stdout.splitlines()]

    def test_tshark_reads_it(self):
        path = os.path.join(self.dir, "a.pcapng")
        odd = SYN / Raw(b"x")
        self.give(leg(SYN), leg(odd, "out", time_ns=T0 + 1, length=4000), leg(SYN, verdict="no_server", service=None, server=None))
        self.assertEqual(self.capture("web", "-w", path), "")
        rows = self.tshark(path, "frame.time_epoch", "frame.interface_name", "frame.len", "frame.cap_len", "tcp.dstport",
                           "frame.comment", "frame.packet_flags_direction")
        self.assertEqual([r[:6] for r in rows], [
            ["1700000000.123456789", "front", "54", "54", "80", "forwarded, vip web, service web, server web/web1"],
            ["1700000000.123456790", "back", "4000", "55", "80", "forwarded, vip web, service web, server web/web1"],
            ["1700000000.123456789", "front", "54", "54", "80", "no_server, vip web"],
        ])
        self.assertEqual([int(r[6], 0) for r in rows], [1, 2, 1])

    def test_an_empty_file_is_one(self):
        path = os.path.join(self.dir, "empty.pcapng")
        self.give({"lost": 9})
        self.capture("web", "--write", path, stderr=END)
        self.assertEqual(self.tshark(path, "frame.number"), [])

    def test_a_file_that_cannot_be_written(self):
        path = os.path.join(self.dir, "none", "a.pcapng")
        self.capture("web", "-w", path, code=NEGATIVE, stderr=f"tandemctl: cannot write {path}: No such file or directory\n")
        self.give(*[leg(SYN)] * 20)
        self.assertIn("/dev/full could not be written in full", subprocess.run(
            self.words("web", "-w", "/dev/full"), capture_output=True, text=True, check=False).stderr)


if __name__ == "__main__":
    TANDEMCTL = sys.argv.pop(1)
    unittest.main()

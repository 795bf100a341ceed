#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tandemctl trace inject against a stand-in for the API: packet_test.py TANDEMCTL [unittest's arguments].

The frames that words stand for are compared with scapy's.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from scapy.all import (ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, Raw,  # pylint: disable=E0611
                       PcapNgWriter, wrpcap)

sys.dont_write_bytecode = True  # a test that is run as root leaves nothing behind

from mock_api import Api  # noqa: E402 pylint: disable=wrong-import-position

OK, NEGATIVE, USAGE, UNREACHABLE, PERMISSION, NOT_FOUND = range(6)
LINK = {"dst": "02:00:00:00:0f:01", "src": "02:00:00:00:00:01"}
A4, B4 = "203.0.113.7", "192.0.2.10"
A6, B6 = "2001:db8:1::7", "2001:db8::10"
TRACE = {
    "interface": "front", "verdict": "forwarded", "action": "send", "help": "sent to a server", "vip": "web",
    "service": "web", "server": "web/web1", "out": "back",
    "steps": [{"stage": "link", "text": "IPv4", "ethertype": 2048}, {"stage": "hop", "text": "10.0.0.1 on back"}],
    "frame": "000102030405060708090a0b0c0d0e0f1011",
}


def tcp(**more):
    return TCP(**{"sport": 4711, "dport": 80, "seq": 1, "window": 65535, "flags": "S", **more})


class PacketTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="tandemctl-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.socket = os.path.join(self.dir, "api.sock")
        self.api = Api(self.socket)
        self.api.give("POST", "/v1/trace", TRACE)
        thread = threading.Thread(target=self.api.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.api.server_close)
        self.addCleanup(self.api.shutdown)

    def inject(self, *words):
        return subprocess.run([TANDEMCTL, "-s", self.socket, "trace", "inject", *words], capture_output=True,
                              timeout=30, check=False, text=True)

    def asked(self):
        """What the API was asked to trace last."""
        method, target, body = self.api.requests[-1]
        self.assertEqual((method, target), ("POST", "/v1/trace"))
        return json.loads(body)

    def assert_frame(self, words, frame):
        done = self.inject("front", *words.split())
        self.assertEqual((done.returncode, done.stderr), (OK, ""), words)
        self.assertEqual(self.asked(), {"interface": "front", "frame": bytes(frame).hex()}, words)

    def refused(self, code, sentence, *words):
        done = self.inject(*words)
        self.assertEqual((done.returncode, done.stdout), (code, ""), words)
        self.assertIn(sentence, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)


class Words(PacketTest):
    def test_frames_are_scapys(self):
        ip4, ip6 = {"src": A4, "dst": B4, "id": 0}, {"src": A6, "dst": B6}
        for words, frame in (
            (f"tcp {A4}:4711 {B4}:80", Ether(**LINK) / IP(**ip4) / tcp()),
            (f"tcp {A4}:4711 {B4}:80 flags SA ttl 7 df", Ether(**LINK) / IP(**ip4, ttl=7, flags="DF") / tcp(flags="SA")),
            (f"tcp {A4}:4711 {B4}:80 flags FRPU", Ether(**LINK) / IP(**ip4) / tcp(flags="FRPU")),
            (f"tcp {A4}:4711 {B4}:80 flags none", Ether(**LINK) / IP(**ip4) / tcp(flags=0)),
            (f"tcp {A4}:4711 {B4}:80 len 101", Ether(**LINK) / IP(**ip4) / tcp() / Raw(bytes(61))),
            (f"udp {A4}:53 {B4}:53 len 60", Ether(**LINK) / IP(**ip4) / UDP(sport=53, dport=53) / Raw(bytes(32))),
            (f"icmp {A4} {B4} id 258", Ether(**LINK) / IP(**ip4) / ICMP(id=258, seq=1)),
            (f"tcp {A4}:4711 {B4}:80 vlan 100", Ether(**LINK) / Dot1Q(vlan=100) / IP(**ip4) / tcp()),
            (f"tcp {A4}:4711 {B4}:80 vlan 7 vlan 100",
             Ether(**LINK, type=0x88a8) / Dot1AD(vlan=7, type=0x8100) / Dot1Q(vlan=100) / IP(**ip4) / tcp()),
            (f"tcp {A4}:4711 {B4}:80 smac 02:00:00:00:00:aa dmac ff:ff:ff:ff:ff:ff",
             Ether(src="02:00:00:00:00:aa", dst="ff:ff:ff:ff:ff:ff") / IP(**ip4) / tcp()),
            (f"tcp [{A6}]:4711 [{B6}]:80", Ether(**LINK) / IPv6(**ip6) / tcp()),
            (f"udp [{A6}]:1 [{B6}]:2 ttl 3 len 49", Ether(**LINK) / IPv6(**ip6, hlim=3) / UDP(sport=1, dport=2) / Raw(b"\0")),
            (f"icmp {A6} {B6}", Ether(**LINK) / IPv6(**ip6) / ICMPv6EchoRequest(id=0, seq=1)),
        ):
            with self.subTest(words):
                self.assert_frame(words, frame)

    def test_an_interface_goes_by_its_device_too(self):
        done = self.inject("eth0", "icmp", A4, B4)
        self.assertEqual((done.returncode, self.asked()["interface"]), (OK, "eth0"))

    def test_mistakes(self):
        for words, sentence in (
            ("", "a packet is PROTOCOL SOURCE DESTINATION"),
            (f"tcp {A4}:1", "a packet is PROTOCOL SOURCE DESTINATION"),
            (f"sctp {A4}:1 {B4}:2", 'protocol: "sctp" is not one of tcp, udp and icmp'),
            (f"tcp {A4} {B4}:2", f'source: "{A4}" is not ADDRESS:PORT'),
            (f"tcp {A4}:x {B4}:2", f'source: "{A4}:x" is not an address with a port'),
            (f"tcp {A4}:1 {B4}:65536", f'destination: "{B4}:65536" is not an address with a port'),
            (f"tcp {A6}:1 [{B6}]:2", "is not ADDRESS:PORT, or [ADDRESS]:PORT for IPv6"),
            (f"tcp [{A4}]:1 [{B6}]:2", "is not ADDRESS:PORT, or [ADDRESS]:PORT for IPv6"),
            (f"tcp [{A6} [{B6}]:2", "is not ADDRESS:PORT, or [ADDRESS]:PORT for IPv6"),
            ("tcp [:1 ]:2", "is not ADDRESS:PORT, or [ADDRESS]:PORT for IPv6"),
            ("tcp " + "1" * 80 + f":1 {B4}:2", "is not ADDRESS:PORT, or [ADDRESS]:PORT for IPv6"),
            (f"icmp {A4}:1 {B4}", f'source: "{A4}:1" is not an IPv4 or IPv6 address'),
            (f"tcp {A4}:1 [{B6}]:2", "source and destination are of two address families"),
            (f"tcp {A4}:1 {B4}:2 tll 3", 'there is no word "tll"; did you mean "ttl"?'),
            (f"tcp {A4}:1 {B4}:2 xyzzy 3", "there are flags, ttl, len, vlan, df, id, smac and dmac"),
            (f"tcp {A4}:1 {B4}:2 ttl", "ttl: a value must follow"),
            (f"tcp {A4}:1 {B4}:2 ttl 256", 'ttl: "256" is not a number from 0 to 255'),
            (f"tcp {A4}:1 {B4}:2 flags SX", 'flags: "SX" is not made of the letters S(yn)'),
            (f"udp {A4}:1 {B4}:2 flags S", "flags: only tcp has them"),
            (f"tcp {A4}:1 {B4}:2 id 3", "id: only icmp has one"),
            (f"icmp {A4} {B4} id 65536", 'id: "65536" is not an identifier'),
            (f"tcp {A4}:1 {B4}:2 len 39", "len: the headers alone have 40 bytes"),
            (f"tcp {A4}:1 {B4}:2 len 3479", "len: the IP packet has a number of bytes up to 3478"),
            (f"tcp {A4}:1 {B4}:2 vlan 4096", 'vlan: "4096" is not a VLAN number'),
            (f"tcp {A4}:1 {B4}:2 vlan 1 vlan 2 vlan 3", "vlan: there are at most two tags"),
            (f"icmp {A6} {B6} df", "df: IPv6 packets are never fragmented"),
            (f"tcp {A4}:1 {B4}:2 smac 02:00", 'smac: "02:00" is not a MAC address'),
            (f"tcp {A4}:1 {B4}:2 dmac 02:00:00:00:00:1g", "dmac:"),
        ):
            with self.subTest(words):
                self.refused(USAGE, sentence, "front", *words.split())
        self.assertEqual(self.api.requests, [])

    def test_an_unknown_interface(self):
        self.refused(NOT_FOUND, 'there is no interface "frnt"; did you mean "front"?', "frnt", "icmp", A4, B4)


class Frames(PacketTest):
    FRAMES = [Ether(**LINK) / IP(src=A4, dst=B4) / UDP(sport=n, dport=9) for n in range(1, 4)]

    def path(self, name):
        return os.path.join(self.dir, name)

    def test_hex(self):
        done = self.inject("front", "--hex", "02:00 0fFF\n a5")
        self.assertEqual((done.returncode, self.asked()["frame"]), (OK, "02000fffa5"))
        self.refused(USAGE, "--hex: byte 2 is no pair of hexadecimal digits", "front", "--hex", "02 0")
        self.refused(USAGE, "--hex: byte 1 is no pair of hexadecimal digits", "front", "--hex", "0x02")
        self.refused(USAGE, "--hex: the frame is empty", "front", "--hex", " ")
        self.refused(USAGE, "--hex: the frame is longer than 3500 bytes", "front", "--hex", "00" * 3501)

    def test_pcap(self):
        wrpcap(self.path("a.pcap"), self.FRAMES)
        with PcapNgWriter(self.path("a.pcapng")) as f:
            for frame in self.FRAMES:
                f.write(frame)
        for name in ("a.pcap", "a.pcapng"):
            with self.subTest(name):
                done = self.inject("front", "--pcap", self.path(name))
                self.assertEqual((done.returncode, done.stderr), (OK, ""))
                self.assertEqual(self.asked()["frame"], bytes(self.FRAMES[0]).hex())
                self.inject("front", "--pcap", self.path(name), "--frame", "3")
                self.assertEqual(self.asked()["frame"], bytes(self.FRAMES[2]).hex())
                self.refused(NOT_FOUND, "has 3 frames, there is no frame 4", "front", "--pcap", self.path(name),
                             "--frame", "4")

    def test_files_that_are_none(self):
        self.refused(NOT_FOUND, "No such file", "front", "--pcap", self.path("none"))
        with open(self.path("text"), "w", encoding="utf-8") as f:
            f.write("this is no capture file, whatever its name says")
        self.refused(NEGATIVE, "is no capture file", "front", "--pcap", self.path("text"))
        wrpcap(self.path("raw"), [IP(src=A4, dst=B4)], linktype=101)
        self.refused(NEGATIVE, "holds no Ethernet frames", "front", "--pcap", self.path("raw"))
        wrpcap(self.path("part"), self.FRAMES, snaplen=20)
        with open(self.path("part"), "r+b") as f:  # the first frame's length in the file
            f.seek(32)
            f.write(b"\x14\0\0\0")
        self.refused(NEGATIVE, "frame 1 was captured in part, 20 of 42 bytes", "front", "--pcap", self.path("part"))
        wrpcap(self.path("long"), [Ether(**LINK) / IP(src=A4, dst=B4) / Raw(bytes(3500))])
        self.refused(NEGATIVE, "at most 3500 can be traced", "front", "--pcap", self.path("long"))

    def test_options_that_do_not_belong_together(self):
        sentence = "the packet is given by words, by --hex or by --pcap with --frame, not by two of them"
        self.refused(USAGE, sentence, "front", "icmp", A4, B4, "--hex", "00")
        self.refused(USAGE, sentence, "front", "--pcap", "x", "--hex", "00")
        self.refused(USAGE, sentence, "front", "--hex", "00", "--frame", "1")
        self.refused(USAGE, "--frame takes a number from 1, not", "front", "--pcap", "x", "--frame", "0")
        done = subprocess.run([TANDEMCTL, "-s", self.socket, "vip", "list", "--hex", "00"], capture_output=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (USAGE, b'tandemctl: --hex, --pcap and --frame are for "trace inject" only\n'))


class Output(PacketTest):
    def test_text(self):
        self.assertEqual(self.inject("front", "--hex", "00").stdout, """\
STAGE  DECISION
link   IPv4
hop    10.0.0.1 on back

verdict  forwarded
action   send
meaning  sent to a server
vip      web
service  web
server   web/web1
out      back

  0x0000:  0001 0203 0405 0607 0809 0a0b 0c0d 0e0f
  0x0010:  1011
""")

    def test_what_is_not_sent_is_not_shown(self):
        self.api.give("POST", "/v1/trace", {**TRACE, "action": "drop", "verdict": "no_service", "server": None})
        text = self.inject("front", "--hex", "00").stdout
        self.assertNotIn("0x0000", text)
        self.assertNotIn("server", text.replace("sent to a server", ""))

    def test_json(self):
        self.assertEqual(json.loads(self.inject("front", "--hex", "00", "-j").stdout), TRACE)

    def test_refused_by_the_daemon(self):
        self.api.problem("POST", "/v1/trace", 409, "the engine is detached.")
        done = self.inject("front", "--hex", "00")
        self.assertEqual((done.returncode, done.stderr), (6, "tandemctl: the engine is detached\n"))


if __name__ == "__main__":
    TANDEMCTL = sys.argv.pop(1)
    unittest.main()

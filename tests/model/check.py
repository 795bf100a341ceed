#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares a packet engine with the model over random frames.

check.py [--count N] [--seed S] PACKET_RUN BODY WORLD

Verdict, interface and bytes must be among those that the model allows. Where a ring decides between servers any
of the pool will do, but a flow must keep to one. Frames that were sent in without a fault must come out with
right checksums, by scapy's own reckoning.
"""
import argparse
import collections
import os
import random
import subprocess
import sys

from scapy.layers.inet import IP, TCP, UDP, in4_chksum
from scapy.layers.inet6 import in6_chksum, IPv6
from scapy.utils import checksum

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'packets'))
from frames import Generator  # noqa: E402
from model import Answer, Model  # noqa: E402
from world import World  # noqa: E402

# Every one must occur, and every server be chosen, or the frames no longer reach all of the specification.
VERDICTS = set("""not_ours unreadable own elsewhere forwarded replied arp_answered nd_answered echo_answered
too_big_answered rejected malformed fragment extension no_service icmp_unhandled no_server no_route
no_neighbour ttl_exceeded too_big""".split())


class Oracle:
    """The engine, behind packet_run --oracle."""

    def __init__(self, program, body, world):
        self.process = subprocess.Popen([program, '--oracle', body, world], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, interface, frame):
        """The engine's Answer; None when it cannot be given such a frame."""
        self.process.stdin.write(f'{interface} {frame.hex() or "-"}\n')
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if len(words) != 3:
            raise SystemExit(f'{self.process.args}: no answer to {interface} {frame.hex()}')
        if words[0] == '-':
            return None
        return Answer(words[0], None if words[1] == '-' else words[1],
                      b'' if words[2] == '-' else bytes.fromhex(words[2]))

    def close(self):
        self.process.stdin.close()
        if self.process.wait():
            raise SystemExit(f'{self.process.args}: exit status {self.process.returncode}')


class Flows:
    """Which servers each flow may have been sent to: the choices that every packet of it left open."""

    def __init__(self):
        self.servers = {}

    def narrow(self, flow, servers):
        """Returns whether one server explains all of the flow so far."""
        self.servers[flow] = self.servers.get(flow, servers) & servers
        return bool(self.servers[flow])

    def unused(self, model):
        """Serving members of the larger pools that no flow is known to have gone to."""
        used = {server for servers in self.servers.values() if len(servers) == 1 for server in servers}
        return {server for _, servers in model.services.values() for server in servers
                if len(servers) > 1 and server not in used}


def checksums_right(model, frame):
    """Adds up the IP and transport checksums of a frame that the engine sent."""
    at = model.ethernet(frame)
    packet = model.ipv6(frame, at) if frame[at] >> 4 == 6 else model.ipv4(frame, at)
    if not packet.is6 and checksum(frame[at:packet.payload]):
        return False
    packet = model.payload6(frame, packet) if packet.is6 else packet
    data = frame[packet.payload:packet.end]
    if packet.protocol not in (6, 17) or (packet.protocol == 17 and data[6:8] == b'\0\0'):
        return True
    if packet.protocol == 17:
        data = data[:(UDP(data).len)]
    if packet.is6:
        pseudo = IPv6(src=str(packet.source), dst=str(packet.target))
        return in6_chksum(packet.protocol, pseudo, data) in (0, 0xffff)
    pseudo = IP(src=str(packet.source), dst=str(packet.target), proto=packet.protocol)
    return in4_chksum(packet.protocol, pseudo, data) in (0, 0xffff)


def flow_of(model, frame):
    """The 5-tuple of a packet that a server was chosen for."""
    at = model.ethernet(frame)
    is6 = frame[at] >> 4 == 6
    packet = model.payload6(frame, model.ipv6(frame, at)) if is6 else \
        model.payload4(frame, model.ipv4(frame, at))
    return (packet.source, packet.target, packet.protocol) + model.ports(frame, packet)


def text(answer, frame):
    """An answer to look at; = stands for the frame as it came."""
    return f'{answer.verdict} {answer.interface or "-"} {"=" if answer.frame == frame else answer.frame.hex()}'


def complaint(model, flows, interface, frame, sound, got):
    """What is wrong with the engine's answer, or None."""
    allowed = model.judge(interface, frame)
    servers = {server for server, answer in allowed.items() if answer == got}
    if not servers:
        return 'the model allows ' + '; '.join(sorted(text(a, frame) for a in set(allowed.values())))
    if got.verdict in ('too_big_answered', 'rejected'):
        model.answered()
    if None not in servers and not flows.narrow(flow_of(model, frame), frozenset(servers)):
        return 'the flow went to another server before'
    if sound and got.verdict in ('forwarded', 'replied') and not checksums_right(model, got.frame):
        return 'a checksum is wrong'
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--count', type=int, default=4000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('program')
    parser.add_argument('body')
    parser.add_argument('world')
    args = parser.parse_args()
    world = World(args.world)
    model, flows = Model(world), Flows()
    generator = Generator(world, random.Random(args.seed))
    oracle = Oracle(args.program, args.body, args.world)
    seen, failed = collections.Counter(), 0
    for number in range(args.count):
        interface, frame, sound = generator.frame()
        got = oracle.ask(interface, frame)
        if got is None:
            seen['(not given: too short)'] += 1
            continue
        seen[got.verdict] += 1
        why = complaint(model, flows, interface, frame, sound, got)
        if why:
            failed += 1
            print(f'FAIL seed {args.seed} frame {number}: {interface} {frame.hex()}\n'
                  f'  {args.body}: {text(got, frame)}\n  {why}')
    oracle.close()
    missing = VERDICTS - set(seen) | flows.unused(model)
    print(', '.join(f'{verdict} {n}' for verdict, n in seen.most_common()))
    print(f'{args.body}: {args.count - failed} agreed, {failed} did not')
    if missing:
        print(f'never seen: {", ".join(sorted(missing))}')
    return 1 if failed or missing else 0


if __name__ == '__main__':
    sys.exit(main())

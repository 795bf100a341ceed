#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares a packet engine with the model over random frames.

check.py [--count N] [--seed S] PACKET_RUN BODY WORLD

Verdict, interface and bytes must be among those that the model allows, and so must the records in the flow's
bucket; in the end all buckets are as the model knows them. Where a ring of which nothing is known decides between
servers any of the pool will do, but a flow must keep to one. Frames that were sent in without a fault must come
out with right checksums, by scapy's own reckoning.
"""
import argparse
import collections
import os
import random
import subprocess
import sys

from scapy.layers.inet import IP, UDP, in4_chksum
from scapy.layers.inet6 import in6_chksum, IPv6
from scapy.utils import checksum

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'packets'))
from changes import Changes  # noqa: E402
from frames import Generator  # noqa: E402
from model import Answer, Model, Unfollowed, Unsure  # noqa: E402
from records import EMPTY, Record  # noqa: E402
from synproxy import Connection, DONE  # noqa: E402
from world import World  # noqa: E402

# Every one must occur, and every server be chosen, or the frames no longer reach all of the specification.
VERDICTS = set("""not_ours unreadable own elsewhere local forwarded replied arp_answered nd_answered echo_answered
too_big_answered ttl_exceeded_answered rejected syn_cookie malformed fragment fragment_orphan fragment_overlap fragment_tiny extension
no_service icmp_unhandled icmp_no_flow no_server no_route no_neighbour ttl_exceeded too_big""".split())
# So must new records come into each kind of entry.
PLACES = {'free', 'void', 'embryonic', 'agreeing', 'live', 'none'}
DATAGRAM_PLACES = {'free', 'over', 'live'}
CHANGE_EVERY = 20  # frames


class Oracle:
    """The engine, behind packet_run --oracle."""

    def __init__(self, program, body, world):
        self.process = subprocess.Popen([program, '--oracle', body, world], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def say(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f'{self.process.args}: no answer to {line}')
        return answer.split()

    def ask(self, interface, frame):
        """The engine's Answer; None when it cannot be given such a frame."""
        words = self.say(f'{interface} {frame.hex() or "-"}')
        if words[0] == '-':
            return None
        return Answer(words[0], None if words[1] == '-' else words[1],
                      b'' if words[2] == '-' else bytes.fromhex(words[2]))

    def tell(self, line):
        if self.say(line) != ['ok']:
            raise SystemExit(f'{self.process.args}: refused: {line}')

    def bucket(self, number):
        """The records in it."""
        words = [int(word, 16) for word in self.say(f'bucket {number}')]
        return [record for record in map(Record.read, words[::2], words[1::2]) if record.state != EMPTY]

    def proxied(self, number):
        """The words of the connections in a bucket of those that began with a SYN cookie."""
        words = [int(word, 16) for word in self.say(f'proxied {number}')]
        return [tuple(words[i:i + 5]) for i in range(0, len(words), 5)]

    def close(self):
        self.process.stdin.close()
        if self.process.wait():
            raise SystemExit(f'{self.process.args}: exit status {self.process.returncode}')


class Flows:
    """Which servers each flow may have been sent to: the choices that every packet of it left open."""

    def __init__(self):
        self.servers, self.sure = {}, set()

    def narrow(self, flow, pool, servers):
        """Returns whether one server explains all of the flow so far."""
        self.servers[flow] = self.servers.get(flow, servers) & servers
        if len(self.servers[flow]) == 1:
            self.sure.update((pool, server) for server in self.servers[flow])
        return bool(self.servers[flow])

    def unused(self, model):
        """Servers of the larger pools that no flow is known to have gone to."""
        return {f'{pool.name}/{server}' for pool in model.pools.values() for server in pool.open
                if len(pool.servers) > 1 and (pool.name, server) not in self.sure}


class Assembly:
    """What the engine sent in parts, put together again."""

    def __init__(self):
        self.parts = {}

    def add(self, packet, data, sound):
        """All of a datagram's payload once that has come out; None before, or where it is not known to be right."""
        key = packet.source, packet.target, packet.part.id, packet.is6 or packet.protocol
        if not packet.part.at:
            self.parts[key] = {}
        if key not in self.parts or not sound:
            self.parts.pop(key, None)
            return None
        self.parts[key][packet.part.at] = data, packet.part.more
        whole = b''
        while len(whole) in self.parts[key]:
            data, more = self.parts[key][len(whole)]
            whole += data
            if not more:
                del self.parts[key]
                return whole
        return None


def checksums_right(model, assembly, frame, sound):
    """Adds up the IP and transport checksums of a frame that the engine sent."""
    at = model.ethernet(frame)
    packet = model.ipv6(frame, at) if frame[at] >> 4 == 6 else model.ipv4(frame, at)
    if sound and not packet.is6 and checksum(frame[at:packet.payload]):
        return False
    try:
        packet = (model.payload6 if packet.is6 else model.payload4)(frame, packet)
    except Unfollowed:
        return True
    data = frame[packet.payload:packet.end]
    if packet.part:
        data = assembly.add(packet, data, sound)
        if packet.is6 and packet.protocol == 60 and data:  # destination options behind the fragment header
            packet, data = packet._replace(protocol=data[0]), data[8 + data[1] * 8:]
    if not data or not sound:
        return True
    if packet.protocol == (58 if packet.is6 else 1) and not packet.part:
        return icmp_checksums_right(model, frame, packet)
    return transport_checksum_right(packet, data)


def transport_checksum_right(packet, data):
    if packet.protocol not in (6, 17) or (packet.protocol == 17 and data[6:8] == b'\0\0'):
        return True
    if packet.protocol == 17:
        data = data[:(UDP(data).len)]
    if packet.is6:
        pseudo = IPv6(src=str(packet.source), dst=str(packet.target))
        return in6_chksum(packet.protocol, pseudo, data) in (0, 0xffff)
    pseudo = IP(src=str(packet.source), dst=str(packet.target), proto=packet.protocol)
    return in4_chksum(packet.protocol, pseudo, data) in (0, 0xffff)


def icmp_checksums_right(model, frame, packet):
    """Those of the message and of the header that it quotes."""
    data = frame[packet.payload:packet.end]
    if packet.is6:
        return in6_chksum(58, IPv6(src=str(packet.source), dst=str(packet.target)), data) == 0
    inner = model.quoted(frame, packet)[0]
    return checksum(data) == 0 and checksum(frame[inner.at:inner.payload]) == 0


def live_proxied(entries, now):
    """Those of an engine's entries that hold a connection."""
    out = []
    for entry in entries:
        connection = Connection.read(*entry)
        if connection and not connection.is_over(now):
            out.append(entry)
    return sorted(out)


def text(answer, frame):
    """An answer to look at; = stands for the frame as it came."""
    return f'{answer.verdict} {answer.interface or "-"} {"=" if answer.frame == frame else answer.frame.hex()}'


class Check:
    """One run: the engine, the model, and what has occurred."""

    def __init__(self, oracle, world, seed):
        self.oracle, self.model, self.flows = oracle, Model(world), Flows()
        self.assembly = Assembly()
        self.seen, self.places = collections.Counter(), collections.Counter()
        self.generator = Generator(world, random.Random(seed))
        self.changes = Changes(self.model, oracle, random.Random(~seed))

    def complaint(self, frame, sound, allowed, got):
        """What is wrong with the engine's answer, or None."""
        servers = {server for server, answer in allowed.items() if answer == got}
        if not servers:
            return 'the model allows ' + '; '.join(sorted(text(a, frame) for a in set(allowed.values())))
        if got.verdict in ('too_big_answered', 'ttl_exceeded_answered', 'rejected'):
            self.model.answered()
        if None not in servers and not self.is_true_to(servers, len(allowed) == 1):
            return 'the flow went to another server before'
        if got.verdict in ('forwarded', 'replied', 'syn_cookie') and \
                not checksums_right(self.model, self.assembly, got.frame, sound or got.verdict == 'syn_cookie'):
            return 'a checksum is wrong'
        return None

    def is_true_to(self, servers, known):
        """Whether the flow may have gone to these before; known: slot or record tells where to."""
        flow, pool = self.model.flow
        if known:
            self.flows.sure.update((pool.name, server) for server in servers)
            return True
        return self.flows.narrow(flow, pool.name, frozenset(servers))

    def record_complaint(self):
        """What is wrong with the records in the bucket of the last frame's flow, or None."""
        if not self.model.recorded:
            return None
        pool, flow, allowed = self.model.recorded
        before = self.model.records.buckets[self.model.records.bucket(flow)]
        got = self.oracle.bucket(self.model.records.bucket(flow))
        good, place = self.model.records.take(pool, flow, got, allowed)
        if good:
            self.places[place] += 1
            return None
        return '\n    '.join([f'at {self.model.records.now} the flow {flow:016x} of pool {pool} finds'] +
                            list(map(str, before)) + ['and leaves'] + list(map(str, got)) +
                            [f'where the model allows {want}' for want, _ in allowed])

    def proxied_complaint(self):
        """What is wrong with the connections in the bucket of the last frame's flow, or None."""
        number, now = self.model.synproxy.touched, self.model.records.now
        if number is None:
            return None
        table, got = self.model.synproxy.table, live_proxied(self.oracle.proxied(number), now)
        if table.is_right(number, got, now):
            return None
        return '\n    '.join([f'at {now} the bucket {number} of connections with cookies holds'] + list(map(str, got)) +
                            ['and not'] + list(map(str, table.live(number, now))))

    def step(self):
        """One frame: None, or what is wrong with what became of it."""
        interface, frame, sound = self.generator.frame()
        try:
            allowed = self.model.judge(interface, frame)
        except Unsure:
            self.seen['(not given: unsure)'] += 1
            return None
        got = self.oracle.ask(interface, frame)
        if got is None:
            self.seen['(not given: too short)'] += 1
            return None
        self.seen[got.verdict] += 1
        if got.frame and got.interface:
            self.generator.peers.hear(got.interface, got.frame)
        why = self.complaint(frame, sound, allowed, got) or self.record_complaint() or self.proxied_complaint()
        return why and f'{interface} {frame.hex()}\n  came to {text(got, frame)}\n  {why}'

    def strays(self):
        """Buckets that a packet changed which has no business there."""
        buckets = self.model.records.buckets
        return [n for n in range(len(buckets)) if sorted(self.oracle.bucket(n)) != sorted(buckets[n])]

    def missing(self):
        return VERDICTS - set(self.seen) | PLACES - set(self.places) | self.flows.unused(self.model) | \
            {f'datagrams in place of {place}' for place in DATAGRAM_PLACES - set(self.model.datagrams.places)} | \
            {f'what SYN cookies do: {what}' for what in DONE - set(+self.model.synproxy.done)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--count', type=int, default=16000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('program')
    parser.add_argument('body')
    parser.add_argument('world')
    args = parser.parse_args()
    oracle = Oracle(args.program, args.body, args.world)
    check, failed = Check(oracle, World(args.world), args.seed), 0
    for number in range(args.count):
        if number % CHANGE_EVERY == 0:
            check.changes.next(number > args.count / 2)
        why = check.step()
        if why:
            failed += 1
            print(f'FAIL {args.body} seed {args.seed} frame {number}: {why}')
    strays = check.strays()
    oracle.close()
    print(', '.join(f'{what} {n}' for what, n in check.seen.most_common()))
    print('datagrams: ' + ', '.join(f'{what} {n}' for what, n in check.model.datagrams.places.most_common()))
    print('SYN cookies: ' + ', '.join(f'{what} {n}' for what, n in check.model.synproxy.done.most_common()) +
          f', driven out {check.model.synproxy.table.driven_out}')
    print('records: ' + ', '.join(f'{what or "kept"} {n}' for what, n in check.places.most_common()))
    print(f'{args.body} seed {args.seed}: {args.count - failed} agreed, {failed} did not')
    if strays:
        print(f'changed without need: the buckets {strays}')
    if check.missing():
        print(f'never seen: {", ".join(sorted(check.missing()))}')
    return 1 if failed or strays or check.missing() else 0


if __name__ == '__main__':
    sys.exit(main())

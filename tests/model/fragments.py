# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams that are sent in parts: mostly all of them and in order, some as no sender or network should."""
from collections import namedtuple

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
from scapy.packet import Raw

import siphash

# A part that is yet to be sent; right: what it holds is its datagram's.
Piece = namedtuple('Piece', 'at data more right')
SOME, MANY = 3, 12  # at a time; so many of one bucket drive each other out


def who(is6, source, target, number, protocol):
    """What tells a datagram from all others: RFC 791, 3.2; RFC 8200, 4.5."""
    if is6:
        return siphash.flow_hash(source, target, number >> 16, number & 0xffff, 44)
    return siphash.flow_hash(source, target, number, 0, protocol)


class Datagram:
    def __init__(self, source, target, protocol, number, pieces):
        self.source, self.target, self.protocol, self.number, self.pieces = source, target, protocol, number, pieces
        self.begun = False


class Fragments:
    """right: whether all of the last packet was its datagram's."""

    def __init__(self, generator):
        self.generator, self.random = generator, generator.random
        self.underway, self.number, self.right = [], 0, True

    def next(self):
        """The packet that comes next, of one of the datagrams underway."""
        if not self.underway or (len(self.underway) < SOME and self.generator.chance(30)):
            crowd = self.generator.chance(4)
            self.underway += [self.begin(crowd) for _ in range(MANY if crowd else 1)]
        fresh = [datagram for datagram in self.underway if not datagram.begun]
        datagram = self.random.choice(fresh or self.underway + self.underway[-1:] * SOME)
        piece, datagram.begun = datagram.pieces.pop(0), True
        if not datagram.pieces:
            self.underway.remove(datagram)
        self.right = piece.right
        return self.packet(datagram, piece)

    def packet(self, datagram, piece):
        packet = self.generator.network(datagram.source, datagram.target)
        if ':' in datagram.target:
            return packet / IPv6ExtHdrFragment(nh=datagram.protocol, id=datagram.number, offset=piece.at // 8,
                                               m=int(piece.more)) / Raw(piece.data)
        packet.proto, packet.id, packet.frag = datagram.protocol, datagram.number, piece.at // 8
        packet.flags = self.random.choice(('MF', 'MF+DF') if piece.more else ('', 'DF'))
        return packet / Raw(piece.data)

    def begin(self, crowd):
        r, generator = self.random, self.generator
        if generator.chance(75):
            source, sport, (target, protocol, dport), first = generator.flow()
        else:
            source, protocol, sport = r.choice(generator.translated if generator.chance(80) else generator.servers)
            target, dport, first = generator.other(source), generator.port(), 1
        if generator.chance(8):
            target = generator.other(target)
        head = IPv6(src=source, dst=target) if ':' in target else IP(src=source, dst=target)
        packet = generator.number(head / generator.transport(protocol, sport, dport, first))
        data = bytes(packet / Raw(r.randbytes(r.choice((40, 120, 200, 2800)))))
        data, protocol = data[len(head):], data[6 if ':' in target else 9]
        if ':' in target and generator.chance(15):
            data, protocol = bytes(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))], nh=protocol)) + data, 60
        if generator.chance(6):
            protocol = r.choice((1, 47, 58, 50, 43))
        return Datagram(source, target, protocol, self.identify(source, target, protocol, crowd), self.pieces(data))

    def identify(self, source, target, protocol, crowd):
        """Often one bit from another's; of a crowd, one that shares a bucket with the others."""
        is6 = ':' in target
        bits = 32 if is6 else 16
        number = (self.number ^ 1 << self.random.randrange(bits)) & (1 << bits) - 1
        while crowd or self.generator.chance(50):
            number = self.random.getrandbits(bits)
            if crowd and not who(is6, source, target, number, protocol) >> 60:
                break
        self.number = number
        return number

    def pieces(self, data):
        r, at, cuts = self.random, 0, []
        size = r.choice((8, 16, 24, 32, 64, 64, 64, 128, 1208, 1440))
        while at < len(data):
            to = min(at + size, len(data))
            cuts.append((at, to))
            at, size = to, max(r.choice((8, 16, 32, 64, 512, 1208, 1440)), len(data) // 40 * 8)
        pieces = [Piece(at, data[at:to], to < len(data), True) for at, to in cuts]
        order = r.randrange(10)
        if order == 0:
            r.shuffle(pieces)
        elif order < 4:
            rest = pieces[1:]
            r.shuffle(rest)
            pieces[1:] = rest
        if len(pieces) > 2 and self.generator.chance(10):
            del pieces[r.randrange(len(pieces))]
        while self.generator.chance(40):
            pieces.insert(r.randrange(len(pieces)) + 1, self.odd(data, pieces))
        return pieces

    def odd(self, data, pieces):
        """One more that should not be."""
        r, units = self.random, -(-len(data) // 8)
        kind, at = r.randrange(6), r.randrange(units) * 8
        size = r.choice((8, 8, 16, 24, 600))
        if kind == 0:
            return r.choice(pieces)
        if kind == 1:  # overlaps others
            return Piece(at, data[at:at + size], at + size < len(data), True)
        if kind == 2:  # another end
            return Piece(at, r.randbytes(r.randrange(1, 24)), False, False)
        if kind == 3:  # behind the end, or nearly so
            return Piece((units - r.randrange(2)) * 8, r.randbytes(size), r.randrange(2) == 0, False)
        if kind == 4:  # at the edge of what a datagram can be
            return Piece((8191 - r.randrange(3)) * 8, r.randbytes(r.choice((7, 8, 16, 24))), r.randrange(2) == 0, False)
        return Piece(at, r.randbytes(r.choice((0, 3, 12, 17))), True, False)  # of no length that it may have

# SPDX-License-Identifier: BSD-2-Clause
"""Services that answer floods of SYNs with cookies, and the connections that come of these: RFC 4987, 3.6; RFC 9293; RFC 7323;
RFC 2018. From the rules, and not from dataplane/l4.

Segments are bytes here, from the TCP header to the end of the data; numbers in them are moved where they stand."""
import collections

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

import siphash
from records import CLOSING_UNITS, EMBRYONIC_UNITS, UNIT_NS

IN_BUCKET = 4
COOKIE_UNITS = 64  # how long a flood's cookies may come back, and a period
PROXY_SCALE = 7  # of windows that clients are told of
SIZES = {4: (536, 1300, 1440, 1460), 6: (1220, 1420, 1440, 8940)}
ASKED, OPENING, OPEN, CLOSING = STATES = 2, 3, 4, 5
# What becomes of a segment: the verdict that ends its way, or None; and what is in its place.
Outcome = collections.namedtuple('Outcome', 'verdict frame')
# scale: None without the option; sack: may be used.
Syn = collections.namedtuple('Syn', 'mss sack scale')
EDGE = 0xffffffff
# What must occur, or the frames do not reach all of this.
DONE = {'answers', 'asks again', 'begins', 'begins at a probe', 'begins in the next period', 'scales for a server',
        'scales for a client', 'moves blocks', 'moves blocks at odd places', 'begins once more', 'opens', 'opens again',
        'is reset', 'is no answer'}


def age(then, now):
    """Another processor's clock may be one unit ahead."""
    gone = now - then & 0xffff
    return 0 if gone == 0xffff else gone


def syns_allowed(per_second):
    """In a unit of coarse time, rounded up."""
    return -(-per_second * UNIT_NS // 10 ** 9)


class Flood:
    """Of one service."""

    def __init__(self, allowed):
        self.allowed, self.unit, self.syns, self.last = allowed, None, 0, None

    def syn(self, now):
        """Counts one; whether there is a flood: while more come than are allowed, and one unit longer."""
        if self.unit != now:
            self.unit, self.syns = now, 0
        if self.syns < self.allowed:
            self.syns += 1
        else:
            self.last = now
        return self.last is not None and age(self.last, now) <= 1

    def cookies_may_come(self, now):
        if self.last is not None and age(self.last, now) > COOKIE_UNITS:
            self.last = None
        return self.last is not None


class Connection:
    """One that began with a cookie. shift: what the client's side has more than the server's numbers."""

    def __init__(self, service, who, now, isn, cookie, scale, idle):
        self.service, self.who, self.seen, self.isn, self.cookie, self.idle = service, who, now, isn, cookie, idle
        self.state, self.shift = ASKED, None
        self.client_scale, self.server_scale = scale, None

    @classmethod
    def read(cls, who, what, shift, isn, idle):
        """From those words; None: the entry holds none."""
        if what & 7 not in STATES:
            return None
        scales = [None if scale == 15 else scale for scale in (what >> 19 & 15, what >> 23 & 15)]
        out = cls(what >> 32, who, what >> 3 & 0xffff, isn, shift, scales[0], idle)
        out.state, out.shift, out.server_scale = what & 7, shift, scales[1]
        return out

    def words(self):
        """As an entry of an engine's table has them."""
        scales = [15 if scale is None else scale for scale in (self.client_scale, self.server_scale)]
        what = self.state | self.seen << 3 | scales[0] << 19 | scales[1] << 23 | self.service << 32
        return self.who, what, self.cookie if self.state == ASKED else self.shift, self.isn, self.idle

    def is_over(self, now):
        limit = {OPEN: self.idle, CLOSING: CLOSING_UNITS}.get(self.state, EMBRYONIC_UNITS)
        return age(self.seen, now) > limit


class Table:
    """Of connections, in buckets of four."""

    def __init__(self, size):
        self.bits = (size // IN_BUCKET - 1).bit_length()
        self.buckets = [[] for _ in range(1 << self.bits)]
        self.driven_out, self.gone, self.spared = 0, None, []  # spared: it could have been one of these as well

    def bucket(self, who):
        return self.buckets[self.number(who)]

    def number(self, who):
        return who >> 64 - self.bits

    def live(self, number, now):
        """The words of all that are in a bucket and not over."""
        return sorted(c.words() for c in self.buckets[number] if not c.is_over(now))

    def is_right(self, number, got, now):
        """Whether an engine's bucket, by its words, may be what it is."""
        before, candidates, self.spared = self.buckets[number], self.spared, []
        if self.live(number, now) == got:
            return True
        for spared in candidates:
            self.buckets[number] = [self.gone if c is spared else c for c in before]
            if self.live(number, now) == got:
                return True
        self.buckets[number] = before
        return False

    def find(self, who, now):
        return next((c for c in self.bucket(who) if c.who == who and not c.is_over(now)), None)

    def forget(self, connection):
        self.bucket(connection.who).remove(connection)

    def begin(self, new, now):
        """Where none is left that is over, one goes that has waited for its server, or been closing and silent for more than
        a unit, for longest. False: all are live."""
        bucket, self.spared = self.bucket(new.who), []
        bucket[:] = [c for c in bucket if not c.is_over(now) and c.who != new.who]
        if len(bucket) == IN_BUCKET:
            waiting = [c for c in bucket if c.state in (ASKED, OPENING) or c.state == CLOSING and age(c.seen, now) > 1]
            if not waiting:
                return False
            longest = max(age(c.seen, now) for c in waiting)
            gone, *spared = [c for c in waiting if age(c.seen, now) == longest]
            bucket.remove(gone)
            self.gone, self.spared, self.driven_out = gone, spared, self.driven_out + 1
        bucket.append(new)
        return True


def options(segment):
    """(kind, where its data begins, where it ends) of the first 16 options, up to one that cannot be (RFC 9293, 3.2)."""
    at, end, out, left = 20, (segment[12] >> 4) * 4, [], 16
    while at < end and segment[at] and left:
        left -= 1
        if segment[at] == 1:
            at += 1
            continue
        if at + 1 == end or segment[at + 1] < 2 or at + segment[at + 1] > end:
            break
        out.append((segment[at], at + 2, at + segment[at + 1]))
        at += segment[at + 1]
    return out


def syn_of(segment, family):
    """What the SYN says: RFC 9293, 3.7.1; RFC 7323, 2.3; RFC 2018, 2."""
    mss, sack, scale = SIZES[family][0], False, None
    for kind, at, end in options(segment):
        if (kind, end - at) == (2, 2):
            mss = int.from_bytes(segment[at:end], 'big')
        elif (kind, end - at) == (3, 1):
            scale = min(segment[at], 14)
        elif (kind, end - at) == (4, 0):
            sack = True
    return Syn(mss, sack, scale)


def encode(syn, family):
    """The lowest seven bits of a cookie."""
    mss = sum(syn.mss >= size for size in SIZES[family][1:])
    return mss | syn.sack << 2 | (15 if syn.scale is None else syn.scale) << 3


def decode(cookie, family):
    scale = cookie >> 3 & 15
    return Syn(SIZES[family][cookie & 3], bool(cookie & 4), None if scale == 15 else scale)


def options_of(syn):
    """As a SYN has them here: always twelve bytes."""
    out = [('MSS', syn.mss), ('NOP', None), ('NOP', None)]
    out += [('SAckOK', b'')] if syn.sack else [('NOP', None)] * 2
    return out + ([('NOP', None), ('WScale', syn.scale)] if syn.scale is not None else [('NOP', None)] * 4)


def rescale(window, was, to):
    """The same window, or the largest that there is (RFC 7323, 2.3); a scale of None: as it stands."""
    return min((window << (was or 0)) >> (to or 0), 0xffff)


class SynProxy:
    """The floods, and the connections that they left. `rewrite` is what moves numbers in a segment and keeps its checksum up:
    (segment, where that is, [(where, bytes)]) -> segment."""

    def __init__(self, connections, rewrite):
        self.table, self.floods, self.rewrite = Table(connections), {}, rewrite
        self.done = collections.Counter()
        self.touched = None  # the bucket of the last packet's flow

    def add(self, service, per_second):
        self.floods[service] = Flood(syns_allowed(per_second))

    # What the client sends.

    def request(self, service, frame, packet, flow, idle, mtu, now):
        """flow: source, target, their ports; mtu: of the interface that it came in by."""
        if packet.payload is None:
            return Outcome(None, frame)
        self.touched = self.table.number(siphash.flow_hash(*flow, 6))
        segment, whole = frame[packet.payload:packet.end], not packet.part
        who, flood, flags = siphash.flow_hash(*flow, 6), self.floods[service], segment[13] & 0x17
        if flags == 2:
            if whole and flood.syn(now):
                return Outcome('syn_cookie', self.answer(frame, packet, flow, segment, mtu, now))
            return Outcome(None, frame)
        connection = self.table.find(who, now)
        brings = whole and flags == 0x10 and len(segment) == (segment[12] >> 4) * 4 and flood.cookies_may_come(now)
        if brings and (not connection or connection.state == CLOSING):
            begun = self.begin(service, who, flow, frame, packet, segment, idle, now)
            if begun:
                return begun
        if connection and connection.state != ASKED:
            return Outcome(None, self.to_server(connection, frame, packet, segment, now))
        if not whole or not connection:
            return Outcome(None, frame)
        if flags & 0x14 == 0x10 and self.acknowledges(segment) == connection.cookie:
            self.done['asks again'] += 1
            return Outcome(None, self.ask(connection, frame, packet, segment))
        return Outcome(None, frame)

    @staticmethod
    def acknowledges(segment):
        """The number of the last byte that is."""
        return int.from_bytes(segment[8:12], 'big') - 1 & EDGE

    def cookie(self, flow, isn, now, says):
        return siphash.syn_cookie(*flow, isn, now, says)

    def answer(self, frame, packet, flow, segment, mtu, now):
        """The window opens when the server has answered."""
        self.done['answers'] += 1
        family = packet.source.version
        said, isn = syn_of(segment, family), int.from_bytes(segment[4:8], 'big')
        ours = Syn(mtu - (60 if packet.is6 else 40), said.sack, None if said.scale is None else PROXY_SCALE)
        tcp = TCP(sport=flow[3], dport=flow[2], flags='SA', window=0, seq=self.cookie(flow, isn, now, encode(said, family)),
                  ack=isn + 1 & EDGE, options=options_of(ours))
        ends = {'src': str(packet.target), 'dst': str(packet.source)}
        ip = IPv6(hlim=64, **ends) if packet.is6 else IP(ttl=64, id=0, flags='DF', **ends)
        return frame[6:12] + frame[:6] + frame[12:packet.at] + bytes(ip / tcp)

    def begin(self, service, who, flow, frame, packet, segment, idle, now):
        """The ACK that brings a cookie back, of this period or the last; or the byte before it, which finds out whether the window
        has opened (RFC 9293, 3.8.6.1). None: it brings none."""
        seq, cookie = int.from_bytes(segment[4:8], 'big'), self.acknowledges(segment)
        for isn in (seq - 1 & EDGE, seq):
            for then in (now, now - COOKIE_UNITS & 0xffff):
                if self.cookie(flow, isn, then, cookie & 0x7f) == cookie:
                    said = decode(cookie, packet.source.version)
                    self.done['begins' if isn != seq else 'begins at a probe'] += 1
                    self.done['begins in the next period'] += then != now
                    new = Connection(service, who, now, isn, cookie, said.scale, idle)
                    if not self.table.begin(new, now):
                        return Outcome('proxied_full', frame)
                    return Outcome(None, self.ask(new, frame, packet, segment))
        return None

    def shift(self, who, now):
        """What a client's numbers of the server have more than the server's own; 0 where nothing is translated."""
        connection = self.table.find(who, now)
        return connection.shift if connection and connection.state != ASKED else 0

    def ask(self, connection, frame, packet, segment):
        """The SYN that the server has not seen, as the cookie says it was; its window is never scaled (RFC 7323, 2.2)."""
        said = decode(connection.cookie, packet.source.version)
        tcp = TCP(sport=int.from_bytes(segment[:2], 'big'), dport=int.from_bytes(segment[2:4], 'big'), flags='S',
                  seq=connection.isn, options=options_of(said),
                  window=rescale(int.from_bytes(segment[14:16], 'big'), said.scale, None))
        return self.replace(frame, packet, tcp)

    def replace(self, frame, packet, layer):
        """Another segment behind the same IP header."""
        ends = {'src': str(packet.source), 'dst': str(packet.target)}
        whole = (IPv6(**ends) if packet.is6 else IP(**ends)) / layer
        segment = bytes(whole)[40 if packet.is6 else 20:]
        head, length = frame[:packet.payload], packet.payload - packet.at + len(segment)
        if packet.is6:
            at, length = packet.at + 4, length - 40
            return head[:at] + length.to_bytes(2, 'big') + head[at + 2:] + segment
        ip = self.rewrite(head[packet.at:], 10, [(2, length.to_bytes(2, 'big'))])
        return head[:packet.at] + ip + segment

    def to_server(self, connection, frame, packet, segment, now):
        self.see(connection, segment, OPEN if connection.state == OPENING else connection.state, now)
        changes = []
        if segment[13] & 0x10:
            changes.append((8, self.moved(segment, 8, -connection.shift)))
        if connection.client_scale is not None and connection.server_scale is None and not segment[13] & 2:
            window = int.from_bytes(segment[14:16], 'big')
            changes.append((14, rescale(window, connection.client_scale, None).to_bytes(2, 'big')))
            self.done['scales for a server'] += 1
        blocks = [(at, end) for kind, at, end in options(segment) if kind == 5 and end - at >= 8]
        for at, end in blocks[-1:]:
            self.done['moves blocks at odd places' if at % 2 else 'moves blocks'] += 1
            ends = range(at, at + (end - at) // 8 * 8, 4)
            changes += [(one, self.moved(segment, one, -connection.shift)) for one in ends]
        return self.with_segment(frame, packet, self.rewrite(segment, 16, changes))

    # What the server sends.

    def reply(self, frame, packet, flow, now):
        """flow: that of the client's segments."""
        if packet.payload is None:
            return frame
        self.touched = self.table.number(siphash.flow_hash(*flow, 6))
        connection = self.table.find(siphash.flow_hash(*flow, 6), now)
        if not connection:
            return frame
        segment = frame[packet.payload:packet.end]
        opens = not packet.part and segment[13] & 0x17 == 0x12 and self.acknowledges(segment) == connection.isn
        if connection.state == ASKED and packet.part:
            return frame
        if connection.state == ASKED and not opens:
            return self.refused(connection, frame, packet, segment)
        if connection.state == ASKED:
            said = syn_of(segment, packet.source.version)
            self.done['opens'] += 1
            connection.state, connection.seen = OPENING, now
            connection.shift = connection.cookie - int.from_bytes(segment[4:8], 'big') & EDGE
            connection.server_scale = None if connection.client_scale is None else said.scale
        elif connection.state != OPENING or not opens:
            return self.to_client(connection, frame, packet, segment, now)
        else:
            self.done['opens again'] += 1
        return self.open(connection, frame, packet, segment)

    def refused(self, connection, frame, packet, segment):
        """Anything but a SYN-ACK of ours ends what was begun; a reset is as the client expects it (RFC 5961, 3.2)."""
        self.table.forget(connection)
        self.done['is reset' if segment[13] & 4 else 'is no answer'] += 1
        if not segment[13] & 4:
            return frame
        number = (connection.cookie + 1 & EDGE).to_bytes(4, 'big')
        return self.with_segment(frame, packet, self.rewrite(segment, 16, [(4, number)]))

    def open(self, connection, frame, packet, segment):
        """The client's window, told by one byte before what it expects (RFC 9293, 3.8.4)."""
        scale = None if connection.client_scale is None else PROXY_SCALE
        window = rescale(int.from_bytes(segment[14:16], 'big'), None, scale)
        tcp = TCP(sport=int.from_bytes(segment[:2], 'big'), dport=int.from_bytes(segment[2:4], 'big'), flags='A',
                  seq=int.from_bytes(segment[4:8], 'big') + connection.shift & EDGE, ack=connection.isn + 1 & EDGE, window=window)
        return self.replace(frame, packet, tcp / Raw(b'\0'))

    def to_client(self, connection, frame, packet, segment, now):
        """A SYN-ACK begins another connection by the same numbers; windows are its ends' own affair."""
        changes, state = [(4, self.moved(segment, 4, connection.shift))], connection.state
        if segment[13] & 2:
            state, connection.client_scale, connection.server_scale = OPEN, None, None
            self.done['begins once more'] += 1
        elif connection.client_scale is not None and connection.server_scale != PROXY_SCALE:
            window = int.from_bytes(segment[14:16], 'big')
            changes.append((14, rescale(window, connection.server_scale, PROXY_SCALE).to_bytes(2, 'big')))
            self.done['scales for a client'] += 1
        self.see(connection, segment, state, now)
        return self.with_segment(frame, packet, self.rewrite(segment, 16, changes))

    @staticmethod
    def see(connection, segment, state, now):
        connection.state, connection.seen = CLOSING if segment[13] & 5 else state, now

    @staticmethod
    def moved(segment, at, by):
        return (int.from_bytes(segment[at:at + 4], 'big') + by & EDGE).to_bytes(4, 'big')

    @staticmethod
    def with_segment(frame, packet, segment):
        return frame[:packet.payload] + segment + frame[packet.end:]

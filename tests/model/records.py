# SPDX-License-Identifier: BSD-2-Clause
"""Which server a packet of a service goes to, by slot and record: the life of a ring slot once more, from the
rules (ARCHITECTURE.md) and not from dataplane/l4.

Where the rules leave a choice, as between two records that were seen at the same time and of which one must go,
what comes of it is a list.
"""
from collections import namedtuple

EMPTY, EMBRYONIC, LIVE, CLOSING = 0, 2, 3, 4
UNIT_NS = 1 << 30  # of coarse time
EMBRYONIC_UNITS, WINDOW = 5, 16384
IN_BUCKET = 4
# How dear records are; the least dear goes first.
VOID, UNSURE, AGREEING, DEAR = 'void', 'embryonic', 'agreeing', 'live'
RANKS = [VOID, UNSURE, AGREEING, DEAR]


def units(seconds):
    """Coarse time that is not less."""
    return -(-seconds * 10 ** 9 // UNIT_NS)


CLOSING_UNITS = units(60)


class Record(namedtuple('Record', 'low fingerprint pool server state time seq agrees')):
    """Of the flow with these bits of the hash: 0 to 31, and 32 to 43. Servers and pools are numbers from 1."""

    @classmethod
    def read(cls, who, what):
        return cls(who & 0xffffffff, what >> 52, what >> 36 & 0xffff, what >> 20 & 0xffff, what & 7,
                   what >> 4 & 0xffff, who >> 32, bool(what >> 3 & 1))

    def words(self):
        return (self.low | self.seq << 32, self.state | self.agrees << 3 | self.time << 4 | self.server << 20 |
                self.pool << 36 | self.fingerprint << 52)

    def is_of(self, flow, pool):
        return (self.low, self.fingerprint, self.pool) == (flow & 0xffffffff, flow >> 32 & 0xfff, pool)

    def seen(self):
        """Without what tells nothing: only a handshake has a sequence number."""
        return self if self.state == EMBRYONIC else self._replace(seq=0)


class Slots:
    """Of one pool: (owner, base) each, numbers of servers or 0; base None: settled."""

    def __init__(self, servers):
        self.n = 256
        while self.n < 100 * servers:
            self.n *= 2
        self.sides = None  # unknown until the first change: Maglev hashing's choice

    def set(self, owner, base, flow=None):
        if flow is None:
            self.sides = [(owner, base)] * self.n
        else:
            self.sides[flow % self.n] = owner, base

    def of(self, flow):
        return self.sides[flow % self.n]


class Records:
    """The table. `serves`: numbers of the servers that serve the flows which they have; `slots`: by pool; `idle`:
    by pool, the longest of its services' time-outs, in coarse time."""

    def __init__(self, records, serves, slots, idle):
        self.bits = max(records // IN_BUCKET - 1, 255).bit_length()
        self.buckets = [[] for _ in range(1 << self.bits)]
        self.serves, self.slots, self.idle, self.now = serves, slots, idle, 0

    def bucket(self, flow):
        return flow >> 64 - self.bits

    def age(self, record):
        """Another processor's clock may be one unit ahead."""
        age = self.now - record.time & 0xffff
        return 0 if age == 0xffff else age

    def is_over(self, record, idle):
        limit = {EMBRYONIC: EMBRYONIC_UNITS, CLOSING: min(idle, CLOSING_UNITS)}.get(record.state, idle)
        return self.age(record) > limit

    def sides(self, pool, flow):
        """(owner, base): who takes what is new, and who what is older. 0: nobody."""
        owner, base = self.slots[pool].of(flow)
        owner = owner if owner in self.serves else 0
        return owner, base if base in self.serves else owner

    def rank(self, record):
        if self.is_over(record, self.idle[record.pool]) or record.server not in self.serves:
            return VOID
        if record.state == EMBRYONIC:
            return UNSURE
        return AGREEING if self.agrees(record) else DEAR

    def agrees(self, record):
        """It did when it was written, and does: an unrecorded packet would go to its server."""
        return record.agrees and self.sides(record.pool, record.low)[1] == record.server

    def packet(self, pool, flow, idle, signal, seq):
        """The server's number, 0: none; and what the bucket may hold then, each with the kind of entry that a new
        record took. signal: 'syn', 'data', 'end', 'part' for what tells nothing, or None for flows without connections."""
        old = self.buckets[self.bucket(flow)]
        own = next((r for r in old if r.is_of(flow, pool)), None)
        owner, base = self.sides(pool, flow)
        record = Record(flow & 0xffffffff, flow >> 32 & 0xfff, pool, base, CLOSING if signal == 'end' else LIVE,
                        self.now, 0, True)
        new = record._replace(server=owner, state=EMBRYONIC, seq=seq)
        if own and not self.is_over(own, idle) and own.server in self.serves:
            record = self.known(own, record, new, signal, seq)
        elif signal == 'syn':
            record = new
        if not record.server:
            return 0, [(old, None)]
        if record.state == LIVE and own and (own.state, own.time, own.server) == (LIVE, self.now, record.server):
            return record.server, [(old, None)]  # written once in a unit of time
        record = record._replace(agrees=record.server == base)
        if own:
            return record.server, [([record if r is own else r for r in old], None)]
        return record.server, self.insert(old, record)

    def peek(self, pool, flow, idle):
        """The number of the server that a flow goes to of which no packet is in hand."""
        own = next((r for r in self.buckets[self.bucket(flow)] if r.is_of(flow, pool)), None)
        if own and not self.is_over(own, idle) and own.server in self.serves:
            return own.server
        return self.sides(pool, flow)[1]

    @staticmethod
    def known(own, older, new, signal, seq):
        """What becomes of a live record; `older` and `new` are those of an older flow and of a new connection."""
        if signal == 'part':
            return own._replace(time=new.time)
        if signal == 'syn':
            return new if own.state == CLOSING else own._replace(time=new.time)
        if own.state == EMBRYONIC and not 1 <= seq - own.seq & 0xffffffff <= WINDOW:
            return older
        if signal == 'end':
            return own._replace(time=new.time, state=CLOSING)
        return own._replace(time=new.time, state=LIVE if own.state == EMBRYONIC else own.state)

    def insert(self, old, record):
        if len(old) < IN_BUCKET:
            return [(old + [record], 'free')]
        rank = min(map(self.rank, old), key=RANKS.index)
        if rank == DEAR and record.state == EMBRYONIC:
            return [(old, 'none')]
        least = [r for r in old if self.rank(r) == rank]
        age = max(map(self.age, least))
        return [([r for r in old if r is not victim] + [record], rank)
                for victim in least if self.age(victim) == age]

    def take(self, pool, flow, got, allowed):
        """Whether the flow's bucket holds what it may, and the kind of entry that was taken. What it holds is the
        table's from here on."""
        kinds = [kind for want, kind in allowed if self.is_same(pool, flow, want, got)]
        self.buckets[self.bucket(flow)] = got
        return (True, kinds[0]) if kinds else (False, None)

    def is_same(self, pool, flow, want, got):
        """Flags of other flows' records that agree no more may be taken off at any time."""
        def key(record):
            stale = record.agrees and not record.is_of(flow, pool) and not self.agrees(record)
            return record.seen()._replace(agrees=record.agrees and not stale)
        return sorted(map(key, want)) == sorted(map(key, got))

# SPDX-License-Identifier: BSD-2-Clause
"""What is known of datagrams that come in fragments: a record for each, in buckets of four, from the rules (ARCHITECTURE.md)
and not from dataplane/l4."""
import collections

IN_BUCKET = 4
AGE = 2  # in coarse time
BYTES_MAX = 65535  # RFC 791, 3.2
FREE, OVER, LIVE = 'free', 'over', 'live'


class Datagram:
    """One whose first fragment has come."""

    def __init__(self, who, now, protocol, ports):
        self.who, self.began, self.protocol, self.ports = who, now, protocol, ports
        self.come, self.counted, self.high, self.end = set(), 0, 0, None  # in units of 8 bytes

    def age(self, now):
        """Another processor's clock may be one unit ahead."""
        age = now - self.began & 0xffff
        return 0 if age == 0xffff else age

    def is_over(self, now):
        return self.age(now) > AGE

    def take(self, part):
        """RFC 5722, 4; RFC 1858, 4: whether nothing of the part came before, and it ends where it may. Of one that overlaps
        nothing counts, but it has come up to the 64 units in which it does."""
        units = range(part.at // 8, -(-(part.at + part.bytes) // 8))
        if self.end and (units.stop > self.end if part.more else units.stop != self.end):
            return False
        if not self.end and not part.more and units.stop < self.high:
            return False
        overlaps = [unit for unit in units if unit in self.come]
        self.come.update(unit for unit in units if not overlaps or unit // 64 <= overlaps[0] // 64)
        if overlaps:
            return False
        self.counted += len(units)
        self.high = max(self.high, units.stop)
        if not part.more:
            self.end = units.stop
        return True

    def is_whole(self):
        return self.counted == self.end


class Datagrams:
    """The table."""

    def __init__(self, datagrams):
        self.bits = (datagrams // IN_BUCKET - 1).bit_length()
        self.buckets = [[None] * IN_BUCKET for _ in range(1 << self.bits)]
        self.places = collections.Counter()  # that new ones took

    def bucket(self, who):
        return self.buckets[who >> 64 - self.bits]

    def find(self, who, now):
        return next((d for d in self.bucket(who) if d and d.who == who and not d.is_over(now)), None)

    def begin(self, new, now):
        """In place of none, or else of the oldest; of several it is the first, so that a flood takes one place of four."""
        bucket = self.bucket(new.who)
        ages = [d.age(now) if d else 1 << 16 for d in bucket]
        at = ages.index(max(ages))
        self.places[FREE if not bucket[at] else OVER if bucket[at].is_over(now) else LIVE] += 1
        bucket[at] = new
        return new

    def forget(self, datagram):
        bucket = self.bucket(datagram.who)
        bucket[bucket.index(datagram)] = None

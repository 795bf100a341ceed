# SPDX-License-Identifier: BSD-2-Clause
"""Random changes under way, told to the engine and to the model alike: time, slots, and records of flows that are never
seen."""
from records import CLOSING, EMBRYONIC, IN_BUCKET, LIVE, Record

SETTLED = None


class Changes:
    def __init__(self, model, oracle, random):
        self.model, self.oracle, self.random = model, oracle, random
        self.pools = [pool for pool in model.pools.values() if len(pool.servers) > 1]
        # Slots of these must be known: their services keep records all the time.
        for pool in self.pools:
            if any(service.track_all and service.pool is pool for service in model.services.values()):
                self.slots(pool)
        self.to(60000)

    def next(self, late):
        """One more; all pools' slots are in play when it is late."""
        kind, known = self.random.randrange(5), [pool for pool in self.pools if self.model.knows(pool)]
        if kind < 2:
            self.slots(self.random.choice(self.pools if late else known))
        elif kind == 2:
            self.time()
        else:
            self.crowd(known)

    def time(self):
        self.to(self.model.records.now + self.random.choice((1, 1, 1, 2, 2, 5, 6, 10, 11, 56, 57, 94, 95)))

    def to(self, now):
        self.oracle.tell(f'now {now & 0xffff}')
        self.model.set_time(now & 0xffff)

    def sides(self, pool):
        """Numbers, and names, of owner and base. Nobody settles on a server that takes no flows."""
        names = {0: 'none', SETTLED: 'settled', **{n: name for name, n in pool.servers.items()}}
        base = self.random.choice([SETTLED, 0] + 2 * list(pool.servers.values()))
        serving = [n for n in pool.servers.values() if n in self.model.records.serves]
        owner = self.random.choice([0] + 3 * (serving if base is SETTLED else list(pool.servers.values())))
        return owner, base, names[owner], names[base]

    def slots(self, pool):
        slots = self.model.slots[pool.number]
        if slots.sides is None or self.random.randrange(4) == 0:
            owner, base, *names = self.sides(pool)
            slots.set(owner, base)
            self.oracle.tell(' '.join(['slots', pool.name] + names))
        for _ in range(self.random.randrange(100)):
            flow = self.random.getrandbits(64)
            owner, base, *names = self.sides(pool)
            slots.set(owner, base, flow)
            self.oracle.tell(' '.join(['slot', pool.name] + names + [f'{flow:016x}']))

    def crowd(self, pools):
        """Buckets of four of a kind."""
        r, records = self.random, self.model.records
        for _ in range(r.randrange(30)):
            number, state = r.randrange(len(records.buckets)), r.choice((EMBRYONIC, LIVE, LIVE, LIVE, CLOSING))
            agrees, bucket = r.randrange(3) == 0, []
            for _ in range(IN_BUCKET):
                pool = r.choice(pools)
                bucket.append(Record(r.getrandbits(32), r.getrandbits(12), pool.number,
                                     r.choice(list(pool.servers.values())), state,
                                     records.now - r.randrange(4) & 0xffff, 0, agrees))
            records.buckets[number] = bucket
            words = ' '.join(f'{word:x}' for record in bucket for word in record.words())
            self.oracle.tell(f'bucket {number} {words}')

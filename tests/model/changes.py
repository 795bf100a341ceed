# SPDX-License-Identifier: BSD-2-Clause
"""Random changes under way, told to the engine and to the model alike: time, slots, and records of flows that are
never seen."""
import synproxy
from records import CLOSING, EMBRYONIC, IN_BUCKET, LIVE, Record

SETTLED = None


class Changes:
    def __init__(self, model, oracle, random):
        self.model, self.oracle, self.random = model, oracle, random
        self.pools = [pool for pool in model.pools.values() if len(pool.servers) > 1]
        # Slots of these must be known: their services keep records all the time.
        for pool in self.pools:
            if any(service.track_all and service.pool is pool for service in model.all_services):
                self.slots(pool)
        self.to(60000)

    def next(self, late):
        """One more; all pools' slots are in play when it is late."""
        kind, known = self.random.randrange(6), [pool for pool in self.pools if self.model.knows(pool)]
        if kind < 2:
            self.slots(self.random.choice(self.pools if late else known))
        elif kind == 2:
            self.time()
        elif kind == 3:
            self.mislead(known)
        else:
            self.crowd(known)
            self.crowd_proxied()

    def time(self):
        self.to(self.model.records.now + self.random.choice((1, 1, 1, 2, 2, 3, 5, 6, 10, 11, 56, 57, 94, 95, 187, 188)))

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

    def put(self, number, bucket):
        words = ' '.join(f'{word:x}' for record in bucket for word in record.words())
        self.oracle.tell(f'bucket {number} {words}' + ' 0 0' * (IN_BUCKET - len(bucket)))
        self.model.records.buckets[number] = bucket

    def any_server(self, pool):
        return self.random.choice(list(pool.servers.values()))

    def crowd(self, pools):
        """Buckets of four of a kind."""
        r, now = self.random, self.model.records.now
        for _ in range(r.randrange(30)):
            state, agrees, bucket = r.choice((EMBRYONIC, LIVE, LIVE, LIVE, CLOSING)), r.randrange(3) == 0, []
            for _ in range(IN_BUCKET):
                pool = r.choice(pools)
                bucket.append(Record(r.getrandbits(32), r.getrandbits(12), pool.number, self.any_server(pool),
                                     state, now + 1 - r.randrange(5) & 0xffff, 0, agrees))
            self.put(r.randrange(len(self.model.records.buckets)), bucket)

    def crowd_proxied(self):
        """Buckets of connections that began with a SYN cookie, of flows that are never seen."""
        r, now, table = self.random, self.model.records.now, self.model.synproxy.table
        for number in r.sample(range(len(table.buckets)), r.randrange(5)):
            states, bucket = r.choice((synproxy.STATES, (synproxy.OPEN, synproxy.CLOSING), (synproxy.ASKED,))), []
            for _ in range(r.choice((0, 1, 4, 4))):
                what = r.choice(states) | (now - r.randrange(5) & 0xffff) << 3
                what |= r.getrandbits(8) << 19 | r.getrandbits(32) << 32
                who = number << 64 - table.bits | r.getrandbits(64 - table.bits)
                bucket.append((who, what, r.getrandbits(32), r.getrandbits(32), r.randrange(1000)))
            words = ' '.join(f'{word:x}' for entry in bucket for word in entry)
            self.oracle.tell(f'proxied {number} {words}' + ' 0' * (5 * (synproxy.IN_BUCKET - len(bucket))))
            table.buckets[number] = [synproxy.Connection.read(*entry) for entry in bucket]

    def mislead(self, pools):
        """Records come to name another server of their pool, also one that is down, or to stand behind another
        flow's that differs in the lowest bits of its hash alone."""
        by_number = {pool.number: pool for pool in pools}
        for number, bucket in enumerate(self.model.records.buckets):
            if not bucket or self.random.randrange(3):
                continue
            if len(bucket) < IN_BUCKET and self.random.randrange(2):
                bucket = [self.random.choice(bucket)._replace(low=self.random.getrandbits(32))] + bucket
            else:
                bucket = [record._replace(server=self.any_server(by_number[record.pool])) for record in bucket]
            self.put(number, bucket)

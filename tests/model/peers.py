# SPDX-License-Identifier: BSD-2-Clause
"""Both ends of TCP connections to services with SYN cookies: they hear what the engine sends them, and answer it, mostly as they
should."""
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

from world import spans

EDGE = 0xffffffff
KEPT = 36  # frames that may be answered yet, some of them twice


class Peers:
    def __init__(self, generator):
        self.generator, self.random, self.heard = generator, generator.random, []
        config = generator.world.config
        self.services, self.servers = [], []  # addresses and ports
        for service in config['services'].values():
            if service.get('syn_cookies') != 'auto' or 'pool' not in service:
                continue
            ports = [port for first, last in spans(service) for port in range(first, last + 1)]
            self.services += [(config['vips'][service['vip']]['address'], port) for port in ports]
            for server in config['pools'][service['pool']]['servers'].values():
                self.servers += [(server['address'], server.get('port', port)) for port in ports]

    def hear(self, device, frame):
        """A frame that left there: kept where somebody of such a service gets it."""
        at = 14
        while frame[at - 2:at] in (b'\x81\x00', b'\x88\xa8'):
            at += 4
        packet = {b'\x08\x00': IP, b'\x86\xdd': IPv6}.get(frame[at - 2:at], Raw)(frame[at:])
        if not isinstance(packet.payload, TCP) or getattr(packet, 'frag', 0):
            return
        tcp = packet[TCP]
        if (packet.src, tcp.sport) in self.services or (packet.dst, tcp.dport) in self.servers:
            self.heard = self.heard[1 - KEPT:] + [(device, frame[:at], packet)]

    def answer(self):
        """(device, frame, whether its checksum is its own) of somebody's answer, or None."""
        if not self.heard:
            return None
        r = self.random
        device, link, packet = r.choice(self.heard[-2:] if r.randrange(10) < 6 else self.heard)
        got = packet[TCP]
        size = len(bytes(got.payload)) if not isinstance(packet, IP) else packet.len - packet.ihl * 4 - got.dataofs * 4
        flags, seq, ack = self.reaction(got)
        if 'S' in got.flags:
            size += 1
        if 'F' in got.flags:
            size += 1
        tcp = TCP(sport=got.dport, dport=got.sport, flags=flags, seq=(got.ack if seq is None else seq) & EDGE,
                  ack=got.seq + size + (ack or 0) & EDGE, window=r.randrange(65536))
        data = r.randbytes(r.randrange(1, 200)) if r.randrange(100) < (90 if 'P' in flags else 6) else b''
        ends = {'src': packet.dst, 'dst': packet.src}
        ip = IPv6(**ends) if isinstance(packet, IPv6) else IP(**ends)
        packet, whole = ip / self.with_options(tcp, self.options('S' in flags, got.seq), data), r.randrange(100) < 94
        if not whole:
            packet = self.first_part(ip, packet)
        return device, link[6:12] + link[:6] + link[12:] + bytes(packet), whole

    def first_part(self, ip, packet):
        """The first fragment of it with as much behind it as makes it one."""
        segment = bytes(packet)[len(ip):]
        segment = Raw(segment + bytes(-len(segment) % 8))
        if isinstance(ip, IPv6):
            return ip / IPv6ExtHdrFragment(nh=6, m=1, id=self.random.getrandbits(32)) / segment
        ip.proto, ip.flags, ip.id = 6, 'MF', self.random.getrandbits(16)
        return ip / segment

    @staticmethod
    def with_options(tcp, options, data):
        tcp.dataofs = 5 + len(options) // 4
        return tcp / Raw(options + data)

    def reaction(self, got):
        """Flags; the sequence number, or None for the one that is expected; and what is added to the acknowledgement."""
        r, kind = self.random, str(got.flags & 0x17)
        if kind == 'S':
            flags = r.choice(('SA',) * 12 + ('RA', 'RA', 'R', 'A', 'PA'))
            return flags, got.seq * 0x9e3779b1, r.choice((None,) * 20 + (1, 0x1000))
        if kind == 'SA':
            flags = r.choice(('A',) * 8 + ('PA', 'FA', 'R', 'SA'))
            seq = r.choice((None,) * 8 + (got.ack - 1, got.ack + 1, got.ack - 2))
            return flags, seq, r.choice((None,) * 10 + (1, -1, 256, 0x80000000))
        flags = r.choice(('A',) * 5 + ('PA',) * 5 + ('FA', 'FA', 'R', 'RA', 'S', 'SA'))
        return flags, r.choice((None,) * 8 + (got.ack - r.randrange(3000),)), r.choice((None,) * 8 + (r.getrandbits(32),))

    def options(self, syn, near):
        """In any order and at any place, now and then damaged."""
        r, out = self.random, b''
        if syn:
            words = [b'\2\4' + r.choice((0, 535, 536, 1220, 1299, 1300, 1420, 1440, 1460, 8940, 65535)).to_bytes(2, 'big'),
                     b'\3\3' + bytes([r.choice((0, 2, 6, 7, 8, 14, 15, 255))]), b'\4\2', b'\x08\x0a' + r.randbytes(8)]
        else:
            ends = b''.join((near + 1000 * i & EDGE).to_bytes(4, 'big') for i in range(2 * r.randrange(5)))
            words = [b'\5' + bytes([2 + len(ends)]) + ends, b'\x08\x0a' + r.randbytes(8)]
        r.shuffle(words)
        for word in words:
            if r.randrange(100) < 30:
                continue
            word = b'\1' * (r.randrange(4) if r.randrange(2) else 0) + word
            if len(out + word) <= 40:
                out += word
        if out and r.randrange(100) < 4:
            at = r.randrange(len(out))
            out = out[:at] + bytes([r.choice((0, 1, 2, 3, 5, 11, 40, 255))]) + out[at + 1:]
        return out + bytes([r.randrange(2)]) * (-len(out) % 4)

    def syn(self):
        """A client's first packet, behind no link header."""
        r, generator = self.random, self.generator
        config = generator.world.config
        service = r.choice([s for s in config['services'].values() if s.get('syn_cookies') == 'auto'])
        target = config['vips'][service['vip']]['address']
        layer = generator.network(generator.other(target), target)
        tcp = TCP(sport=generator.port(), dport=r.choice(generator.ports_of(service)), flags='S', seq=r.getrandbits(32),
                  window=r.randrange(65536))
        return layer / self.with_options(tcp, self.options(True, 0), bytes(generator.payload()) if generator.chance(5) else b'')

# SPDX-License-Identifier: BSD-2-Clause
"""Random frames for a world: most nearly valid, about half of them damaged in one place or two."""
import ipaddress

from scapy.layers.inet import (ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_Router_Alert)
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6ParamProblem,
                                ICMPv6TimeExceeded, IPv6, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN)
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from fragments import Fragments
from peers import Peers
from world import spans


class Generator:
    def __init__(self, world, random):
        self.world, self.random = world, random
        config = world.config
        vips = {name: vip['address'] for name, vip in config['vips'].items()}
        self.ours = list(vips.values()) + [g['address'] for g in config.get('gateways', {}).values()]
        self.where = {one['address']: one['interface'] for kind in ('vips', 'gateways')
                      for one in config.get(kind, {}).values()}
        self.virtual = {name: [vip['mac'] for vip in config['vips'].values() if vip['interface'] == name and 'mac' in vip]
                        for name in world.links}
        self.services, self.servers, self.translated = [], [], []
        self.fragments, self.peers = Fragments(self), Peers(self)
        self.flows = []  # that sent before: (client, its port, service, number of its SYN)
        for service in config['services'].values():
            servers = config['pools'][service['pool']]['servers'] if 'pool' in service else {}
            protocol = service.get('protocol', 'tcp')
            if protocol == 'any':
                self.services += [(vips[service['vip']], protocol, 80)] * 4
                continue
            ports = self.ports_of(service)
            often = 12 if len(servers) > 1 and len(ports) == 1 else 1
            for port in ports:
                self.services += [(vips[service['vip']], protocol, port)] * often
                for server in servers.values():
                    self.servers.append((server['address'], protocol, server.get('port', port)))
                    if service['forward'] == 'nat':
                        self.translated.append(self.servers[-1])
        self.quic = {}  # server ids by port
        for service in config['services'].values():
            if 'quic_id_bytes' in service:
                servers = config['pools'][service['pool']]['servers'].values()
                self.quic[service['port']] = [bytes.fromhex(s['quic_id']) for s in servers if 'quic_id' in s]
        self.listed = []  # by lists of sources: both ends of prefixes, and their neighbours
        for group in [config.get('guard', {})] + list(config['services'].values()):
            for net in map(ipaddress.ip_network, group.get('deny', []) + group.get('allow', [])):
                ends = int(net[0]), int(net[-1])
                self.listed += [str(net[0].__class__(at)) for end in ends for at in (end - 1, end, end + 1)
                                if 0 <= at <= int(net[0].__class__('255.255.255.255' if net.version == 4 else
                                                                   'ffff:' * 7 + 'ffff'))]
        # Somebody in every network, and a few who are nowhere.
        self.others = [str(route[0].network_address + 7) for route in world.routes
                       if route[0].num_addresses > 1]
        self.others += [str(address) for _, address in world.neighbours if not address.is_link_local]
        self.others += [str(route[0].network_address) for route in world.routes if route[1] == 'local']
        self.others += ['8.8.8.8', '2001:4860::8']

    @staticmethod
    def ports_of(service):
        """Both ends of ranges, and their neighbours."""
        ports = {port for first, last in spans(service) for port in
                 ((first,) if first == last else (first - 1, first, last, last + 1))}
        return sorted(port for port in ports if port < 65536)

    def other(self, like):
        return self.random.choice([a for a in self.others if (':' in a) == (':' in like)])

    def nobody(self, like):
        """A source that is no host's."""
        return self.random.choice(('::', 'ff02::1', '::1', '::ffff:8.8.8.8', 'fe80::9') if ':' in like
                                  else ('0.0.0.0', '224.0.0.5', '255.255.255.255', '0.0.0.1', '127.0.0.1',
                                        '169.254.1.1'))

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def frame(self):
        """(device, bytes, whether every length and checksum in it is right)."""
        r = self.random
        answer = self.peers.answer() if self.chance(25) else None
        if answer:
            return answer if self.chance(93) else (answer[0], self.damage(answer[1]), False)
        interface = r.choice(list(self.world.links))
        kinds = ((self.request, 60), (self.reply, 20), (self.echo, 8), (self.error, 12), (self.arp, 9), (self.nd, 9),
                 (self.unrelated, 9), (self.fragment, 30), (self.syn, 20))
        kind = r.choices([k for k, _ in kinds], [weight for _, weight in kinds])[0]
        dst, packet, interface = kind(interface)
        mac = r.choice(self.virtual[interface]) if self.virtual[interface] and self.chance(25) else \
            self.world.links[interface]['mac']
        steady = kind == self.fragment and self.chance(80)  # or nearly all datagrams would lack some part
        if not steady and self.chance(4):
            mac, dst = r.choice(['02:00:00:00:00:99', 'ff:ff:ff:ff:ff:ff', '33:33:00:00:00:01'] +
                                sum(self.virtual.values(), [])), None
        frame = bytes(Ether(dst=dst or mac, src='02:00:00:00:77:%02x' % r.randrange(256))
                      / self.tagged(packet, self.world.links[interface]['tags'], steady))
        device = self.world.links[interface]['device']
        if self.chance(15):
            frame += bytes(r.randrange(256) for _ in range(r.randrange(1, 40)))
        if not steady and self.chance(40):
            return device, self.damage(frame), False
        return device, frame, kind != self.fragment or self.fragments.right

    def tagged(self, packet, tags, exactly):
        """With the tags, mostly; and with some that carry a priority only."""
        tags = [[kind, number] for kind, number in tags]
        if not exactly:
            self.retag(tags)
        for kind, number in reversed(tags):
            tag = Dot1AD if kind == 0x88a8 else Dot1Q
            packet = tag(vlan=number & 0xfff, prio=self.random.randrange(8), id=self.random.randrange(2)) / packet
        return packet

    def retag(self, tags):
        r = self.random
        while self.chance(12):
            tags.insert(r.randrange(len(tags) + 1), [r.choice((0x8100, 0x8100, 0x88a8)), 0])
        if self.chance(6):
            tags.append([r.choice((0x8100, 0x88a8)), r.randrange(4096)])
        if tags and self.chance(4):
            r.choice(tags)[r.randrange(2)] = r.choice((0x8100, 0x88a8))
        if tags and self.chance(4):
            tags.pop()

    def payload(self):
        size = self.random.choices((0, self.random.randrange(1, 64), self.random.randrange(1150, 1500)),
                                   (40, 51, 9))[0]
        return Raw(self.random.randbytes(size))

    def network(self, source, target):
        ttl = self.random.choices((0, 1, 2, 64, 255, self.random.randrange(256)), (2, 3, 5, 50, 10, 30))[0]
        if ':' in target:
            packet = IPv6(src=source, dst=target, hlim=ttl, tc=self.random.randrange(256),
                          fl=self.random.randrange(1 << 20))
            return self.extended(packet) if self.chance(25) else packet
        packet = IP(src=source, dst=target, ttl=ttl, tos=self.random.randrange(256),
                    id=self.random.randrange(65536), flags=self.random.choice(('', 'DF')))
        if self.chance(6):
            packet.flags, packet.frag = self.random.choice((('MF', 0), ('', 5), ('MF', 9)))
        if self.chance(15):
            packet.options = self.random.choice((
                [IPOption_Router_Alert()], [IPOption_NOP()] * self.random.randrange(1, 41)))
        return packet

    def extended(self, packet):
        r = self.random
        for _ in range(r.choices((1, 2, 3, 6, 7), (50, 20, 10, 10, 10))[0]):
            pad = [PadN(optdata=bytes(r.choice((4, 12, 20))))]
            packet /= r.choices((
                IPv6ExtHdrHopByHop(options=pad), IPv6ExtHdrDestOpt(options=pad),
                IPv6ExtHdrRouting(type=4, segleft=0, addresses=['2001:db8::1'] * r.randrange(3)),
                IPv6ExtHdrRouting(type=4, segleft=r.randrange(1, 256), addresses=['2001:db8::1']),
                IPv6ExtHdrFragment(offset=r.randrange(2), m=r.randrange(2), id=r.getrandbits(32)),
            ), (30, 35, 25, 4, 6))[0]
        return packet

    def transport(self, protocol, sport, dport, first):
        """A packet of a connection whose SYN had the number `first`, or of somebody who does not know that."""
        r = self.random
        if protocol == 'any':
            protocol = r.choice(('tcp', 'udp', 'sctp', 'raw', 'raw'))
        if protocol == 'raw':
            return Raw(r.randbytes(r.randrange(8, 60)))
        if protocol == 'sctp':
            return SCTP(sport=sport, dport=dport, tag=first) / SCTPChunkData(data=bytes(self.payload()))
        if protocol == 'udp':
            layer = UDP(sport=sport, dport=dport) / (self.quic_payload(dport) if dport in self.quic else self.payload())
            if self.chance(15):
                layer.chksum = 0
            return layer
        options = [('NOP', None)] * r.choice((0, 0, 4, 12, 40))
        flags = r.choices(('S', 'A', 'PA', 'FA', 'R', 'SA', 'SF', 0), (6, 6, 3, 3, 2, 1, 1, 1))[0]
        seq = first + (0 if flags == 'S' else r.choice((1, 1, 1, 2, 1000, 16384, 16385, 0, 0, -1)))
        if self.chance(15):
            seq = r.getrandbits(32)
        return TCP(sport=sport, dport=dport, flags=flags, seq=seq % (1 << 32), options=options) / self.payload()

    def quic_payload(self, dport):
        """A packet of a connection that a server has given an id, or nearly."""
        r = self.random
        cid = bytes([r.randrange(256)]) + r.choice(self.quic[dport]) + r.randbytes(r.choice((3, 4, 4, 8)))
        if self.chance(10):
            cid = r.randbytes(len(cid))
        if self.chance(50):
            return Raw(bytes([r.randrange(0x80)]) + cid + r.randbytes(r.randrange(20)))
        length = len(cid) if self.chance(90) else r.randrange(256)
        return Raw(bytes([r.randrange(0x80, 256), 0, 0, 0, 1, length]) + cid + r.randbytes(r.randrange(20)))

    def port(self):
        """Few enough for flows to come again."""
        return self.random.choice((0, 40000, 40001, 40002, 65535))

    def flow(self):
        """Mostly one that sent before, often the last that began: handshakes are short."""
        if self.flows and not self.chance(25):
            return self.flows[-1] if self.chance(35) else self.random.choice(self.flows)
        service = self.random.choice(self.services)
        client = self.nobody(service[0]) if self.chance(8) else self.other(service[0])
        if self.chance(15):
            client = self.random.choice([a for a in self.listed if (':' in a) == (':' in client)])
        flow = client, self.port(), service, self.random.getrandbits(32)
        self.flows = self.flows[-40:] + [flow]
        return flow

    def request(self, interface):
        source, sport, (target, protocol, port), first = self.flow()
        if self.chance(10):
            target = self.random.choice([a for a in self.ours if (':' in a) == (':' in target)])
        if self.chance(10):
            port = self.random.choice((0, 22, 80, 443, 0x5000))
        if self.chance(5):
            protocol = self.random.choice(('udp', 'tcp', 'sctp'))
        if self.chance(2):
            source, sport = target, self.random.choice((sport, port))
        return None, self.number(self.network(source, target) / self.transport(protocol, sport, port, first)), interface

    def number(self, packet):
        """A packet of raw bytes gets a protocol: that which scapy leaves 0 or as it was."""
        last = packet.lastlayer()
        if not isinstance(last, Raw) or isinstance(last.underlayer, (TCP, UDP)):
            return packet
        kind = self.random.choice((47, 50, 51, 103, 2, 58))
        if isinstance(last.underlayer, IP):
            last.underlayer.proto = kind
        elif isinstance(last.underlayer, IPv6):
            last.underlayer.nh = kind
        return packet

    def reply(self, interface):
        source, protocol, port = self.random.choice(self.servers)
        if self.chance(10):
            port = self.port()
        packet = self.network(source, self.other(source)) / self.transport(protocol, port, self.port(), 1)
        return None, packet, interface

    def syn(self, interface):
        return None, self.peers.syn(), interface

    def fragment(self, interface):
        return None, self.fragments.next(), interface

    def echo(self, interface):
        r, target = self.random, self.random.choice(self.ours)
        source = self.other(target)
        if self.chance(15):
            source = self.nobody(target)
        ident, seq = r.randrange(65536), r.randrange(65536)
        if ':' in target:
            echo = r.choices((ICMPv6EchoRequest, ICMPv6EchoReply), (9, 1))[0](
                id=ident, seq=seq, data=bytes(self.payload()))
            echo = ICMPv6PacketTooBig() / b'quote' if self.chance(5) else echo
        else:
            echo = ICMP(type=r.choices((8, 0), (9, 1))[0], id=ident, seq=seq) / self.payload()
            echo = ICMP(type=3, code=1) / b'quote' if self.chance(5) else echo
        return None, self.network(source, target) / echo, interface

    def error(self, interface):
        """About what a flow's server sent, or about what a server got of it."""
        r = self.random
        client, port, (vip, protocol, ours), first = self.flow()
        source, target, sport, dport, to = vip, client, ours, port, vip
        if self.chance(40):
            target, protocol, dport = r.choice([s for s in self.servers if (':' in s[0]) == (':' in vip)])
            source, sport, to = client, port, client
        if self.chance(5):
            source = self.other(vip)
        quoted = bytes(self.network(source, target) / self.transport(protocol, sport, dport, first))
        quoted = quoted[:r.choice((20, 27, 28, 29, 36, 37, 38, 47, 48, 49, 56, 58, 66, 548, 1232))]
        outer = self.network(self.reporter(vip, source), to)
        if ':' in vip:
            message = r.choice((ICMPv6PacketTooBig(mtu=1300), ICMPv6DestUnreach(code=4), ICMPv6TimeExceeded(),
                                ICMPv6ParamProblem()))
        else:
            message = ICMP(type=r.choice((3, 3, 11, 12, 5)), code=r.choice((0, 3, 4)))
        return None, outer / message / quoted, interface

    def reporter(self, vip, source):
        """Whom an error about a packet of the source comes from: mostly a router."""
        r = self.random
        named = [a for a in self.listed if (':' in a) == (':' in vip)]
        return r.choices((self.other(vip), r.choice(named or [source]), self.nobody(vip), source), (75, 10, 5, 10))[0]

    def at_home(self, target, interface):
        return self.where[target] if target in self.where and self.chance(85) else interface

    def arp(self, interface):
        r = self.random
        target = r.choice([a for a in self.ours if ':' not in a] + [self.other('4')])
        interface = self.at_home(target, interface)
        packet = ARP(op=r.choices((1, 2, 3), (90, 7, 3))[0], hwsrc='02:00:00:00:77:01',
                     psrc=r.choice((self.other('4'), '0.0.0.0')), hwdst='00:00:00:00:00:00', pdst=target)
        return r.choice(('ff:ff:ff:ff:ff:ff', None, None)), packet, interface

    def nd(self, interface):
        r = self.random
        target = r.choice([a for a in self.ours if ':' in a] + [self.other(':')])
        interface = self.at_home(target, interface)
        low = ipaddress.ip_address(target).packed[13:].hex()
        group = f'ff02::1:ff{low[:2]}:{low[2:]}'
        source = r.choice((self.other(':'), 'fe80::1', '::'))
        packet = IPv6(src=source, dst=r.choice((group, group, target)), hlim=r.choice((255,) * 9 + (64,)))
        message = ICMPv6ND_NS(tgt=target, code=r.choice((0,) * 9 + (1,)))
        if self.chance(10):
            message = ICMPv6ND_NA(tgt=target)
        if source != '::' and self.chance(80):
            message /= ICMPv6NDOptSrcLLAddr(lladdr='02:00:00:00:77:01')
        return r.choice(('33:33:ff:00:00:10', None)), packet / message, interface

    def unrelated(self, interface):
        r = self.random
        choice = r.randrange(4)
        if choice == 0:
            return None, Raw(r.randbytes(r.randrange(60))), interface
        target = self.other(r.choice(('4', ':')))
        packet = self.network(self.other(target), target)
        if choice == 1:
            target = r.choice(self.ours)
            packet = self.network(self.other(target), target)
            if ':' in target:
                packet.lastlayer().nh = r.choice((50, 51, 59, 1, 132, 47))
            else:
                packet.proto = r.choice((2, 47, 50, 58, 132, 255))
            return None, packet / self.payload(), interface
        return None, packet / self.transport(r.choice(('tcp', 'udp')), self.port(), 80, 1), interface

    def damage(self, frame):
        """One or two of: cut short, a byte changed, a field near the front set to an edge value."""
        r, frame = self.random, bytearray(frame)
        for _ in range(r.choice((1, 1, 2))):
            choice, front = r.randrange(4), min(len(frame), 96)
            if not front:
                break
            if choice == 0:
                del frame[r.randrange(min(len(frame), 120)):]
            elif choice == 1:
                frame[r.randrange(len(frame))] = r.randrange(256)
            elif choice == 2:
                frame[r.randrange(front)] ^= 1 << r.randrange(8)
            else:
                frame[r.randrange(front)] = r.choice((0, 1, 4, 5, 15, 0x45, 0x60, 0x7f, 0x80, 0xff))
        return bytes(frame)

# SPDX-License-Identifier: BSD-2-Clause
"""The data path once more, from the specification and the RFCs and not from dataplane/l4.

Slow and plain on purpose: one packet, one function per layer, no table but the world's own. What comes of a
packet is a dict from server to Answer, since any member of a pool may be the ring's choice as long as nothing was
said of its slots; the key is None where no server is chosen.
"""
import ipaddress
from collections import namedtuple

from scapy.layers.inet import ICMP as Icmp4, IP, TCP as Tcp, UDP as Udp
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6ND_NA, ICMPv6NDOptDstLLAddr,
                                ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6)
from scapy.layers.l2 import ARP
from scapy.utils import mac2str, str2mac

import records
import siphash
from datagrams import BYTES_MAX, Datagram, Datagrams
from synproxy import SynProxy
from world import spans

Answer = namedtuple('Answer', 'verdict interface frame')
# What is needed of an IP packet: offsets into the frame, and the numbers that decide. part: of a fragment; payload: the
# transport header's, None where there is none.
Packet = namedtuple('Packet', 'is6 at source target ttl_at length protocol payload end part', defaults=[None])
# Where a fragment lies in its datagram.
Part = namedtuple('Part', 'id at bytes more')

# where: address of each member of the pool and its port, or None, by name; idle: in coarse time; lists: of sources; rates:
# packets and SYNs of a source in a unit of coarse time; untracked: no flow has a record; quic: bytes of a server id in
# connection ids; cookies: the number that its floods of SYNs go by, or None.
Service = namedtuple('Service', 'forward pool where idle track_all client lists rates untracked reject quic cookies')
# servers: numbers by name; open: names of those that take new flows; gue: the port that its tunnels go to, or None.
Pool = namedtuple('Pool', 'name number servers open reject gue')

TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132
FRAGMENT = 44
PROTOCOLS = {'tcp': TCP, 'udp': UDP, 'sctp': SCTP, 'any': None}
HEADERS = {TCP: 20, UDP: 8, SCTP: 12}  # of protocols with ports, at least
CHECKSUM_AT = {TCP: 16, UDP: 6}
BOGONS = [ipaddress.ip_network(net) for net in (
    '0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4',
    '::/128', '::1/128', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8')]
PASSED = ('not_ours', 'unreadable', 'own', 'elsewhere', 'local')
BROADCAST, ALL_NODES_MAC = b'\xff' * 6, bytes.fromhex('333300000001')


class Sources:
    """A list of sources, as a group of the configuration has it."""

    def __init__(self, group):
        self.only = 'allow' in group
        self.prefixes = [(ipaddress.ip_network(net), verdict == 'allow') for verdict in ('allow', 'deny')
                         for net in group.get(verdict, [])]

    def admits(self, source):
        """The longest prefix decides, of two equal ones the one that denies."""
        held = [(net.prefixlen, not allows) for net, allows in self.prefixes if source in net]
        return not max(held)[1] if held else not self.only


class Says(Exception):
    """Reading a header came to an end, with this verdict if the packet was for us."""


class Unfollowed(Says):
    """It did at an extension header that cannot be followed."""


class Unsure(Exception):
    """What becomes of the packet is known, but not what is kept of it."""


def word(data, at):
    return int.from_bytes(data[at:at + 2], 'big')


def words(data):
    return [word(data, i) for i in range(0, len(data), 2)]


def update(checksum, old, new):
    """RFC 1624, eqn. 3: HC' = ~(~HC + ~m + m'), over all the 16-bit words of old and new."""
    total = ~checksum & 0xffff
    for before, after in zip(words(old), words(new)):
        total += (~before & 0xffff) + after
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (~total & 0xffff).to_bytes(2, 'big')


def rewrite(data, checksum_at, changes):
    """Puts bytes where they belong and keeps up the checksum, whose words begin where the data does (RFC 1071, 2 (B))."""
    out = bytearray(data)
    for at, value in changes:
        out[at:at + len(value)] = value
    moved = sorted({(at + i) // 2 * 2 for at, value in changes for i in range(len(value))})
    old, new = (b''.join(bytes(one[at:at + 2]) for at in moved) for one in (data, out))
    if moved:
        out[checksum_at:checksum_at + 2] = update(word(data, checksum_at), old, new)
    return bytes(out)


class Model:
    def __init__(self, world):
        self.world = world
        self.macs = {name: mac2str(link['mac']) for name, link in world.links.items()}
        self.ours = {}  # address: (interface, is a gateway)
        self.answers_with = {}  # address: the MAC address in answers for it
        self.virtual = {name: set() for name in world.links}
        for kind in ('vips', 'gateways'):
            for one in world.config.get(kind, {}).values():
                address, interface = ipaddress.ip_address(one['address']), one['interface']
                self.ours[address] = (interface, kind == 'gateways')
                self.answers_with[address] = mac2str(one['mac']) if 'mac' in one else self.macs[interface]
                self.virtual[interface].add(self.answers_with[address])
        self.pools, self.names, self.down = {}, {0: None}, set()
        for name, pool in world.config['pools'].items():
            self.add_pool(name, pool)
        self.services, self.replies = {}, {}  # by address, port and protocol
        self.all_services, self.rest = [], {}
        self.synproxy = SynProxy(world.config['limits'].get('syn_proxied', 65536), rewrite)
        self.ranges, self.reply_ranges = [], []  # (address, protocol, ports), and what is there
        for service in world.config.get('services', {}).values():
            self.add_service(service)
        self.known = set(self.ours) | {address for address, _, _ in self.replies} | \
            {address for (address, _, _), _ in self.reply_ranges}
        self.slots = {pool.number: records.Slots(len(pool.servers)) for pool in self.pools.values()}
        self.records = records.Records(world.config['limits']['records'], set(self.names) - self.down - {0},
                                       self.slots, {n: self.longest_idle(n) for n in self.slots})
        self.datagrams = Datagrams(world.config['limits']['datagrams'])
        self.sent_at, self.sent = None, {}  # by sources, in this unit of coarse time
        self.recorded = None  # of the last packet: (pool, flow, what its bucket may hold now)
        self.flow = None  # of the last packet that a server was chosen for: (5-tuple, pool)
        self.set_time(0)

    def add_pool(self, name, pool):
        first = len(self.names)
        servers = {server: first + i for i, server in enumerate(pool['servers'])}
        self.names.update({number: server for server, number in servers.items()})
        down = {server for server in servers if name + '/' + server in self.world.down}
        self.down.update(servers[server] for server in down)
        takes = [server for server, one in pool['servers'].items() if one.get('weight', 1) and server not in down]
        self.pools[name] = Pool(name, len(self.pools) + 1, servers, takes, pool.get('when_empty') == 'reset',
                                self.gue_port(pool))

    def gue_port(self, pool):
        tunnel = self.world.config.get('tunnel', {})
        return tunnel.get('gue_port', 6080) if pool.get('encapsulation') == 'gue' else None

    def add_service(self, service):
        address = ipaddress.ip_address(self.world.config['vips'][service['vip']]['address'])
        protocol = PROTOCOLS[service.get('protocol', 'tcp')]
        where, pool = {}, self.pools.get(service.get('pool'))
        for name, server in self.world.config['pools'][pool.name]['servers'].items() if pool else ():
            where[name] = (ipaddress.ip_address(server['address']), server.get('port'))
            for first, last in spans(service) if service['forward'] == 'nat' else ():
                if first == last:
                    self.replies[where[name][0], where[name][1] or first, protocol] = (address, first)
                else:
                    self.reply_ranges.append(((where[name][0], protocol, range(first, last + 1)), address))
        seconds = int(service.get('idle', '60s' if protocol == UDP else '900s').rstrip('s'))
        made = Service(
            service['forward'], pool, where, records.units(seconds),
            service.get('track') == 'all', service.get('affinity') == 'client' or protocol is None,
            [Sources(self.world.config.get('guard', {})), Sources(service)],
            [self.tokens(service, key) for key in ('source_rate', 'source_syn_rate')],
            service.get('track') == 'none', bool(pool and pool.reject and protocol),
            service.get('quic_id_bytes', 0), self.add_cookies(service))
        self.all_services.append(made)
        if protocol is None:
            self.rest[address] = made
            return
        for first, last in spans(service):
            if first == last:
                self.services[address, first, protocol] = made
            else:
                self.ranges.append(((address, protocol, range(first, last + 1)), made))

    def add_cookies(self, service):
        if service.get('syn_cookies') != 'auto':
            return None
        self.synproxy.add(len(self.all_services) + 1, service['syn_threshold'])
        return len(self.all_services) + 1

    @staticmethod
    def within(ranges, address, port, protocol):
        return next((what for (whose, kind, ports), what in ranges
                     if (whose, kind) == (address, protocol) and port in ports), None)

    def service(self, address, port, protocol):
        """The service on a port by itself, else the one with a range that has it or for all that is left, or None."""
        return self.services.get((address, port, protocol)) or \
            self.within(self.ranges, address, port, protocol) or self.rest.get(address)

    def back(self, address, port, protocol):
        """What a server's port is translated back to: (VIP, port), or None."""
        if (address, port, protocol) in self.replies:
            return self.replies[address, port, protocol]
        vip = self.within(self.reply_ranges, address, port, protocol)
        return vip and (vip, port)

    def tokens(self, service, key):
        """How many in a unit of coarse time; infinitely many without a limit."""
        rate = service.get(key, self.world.config.get('guard', {}).get(key, 0))
        return max(rate * 2 ** 30 // 10 ** 9, 1) if rate else float('inf')

    def longest_idle(self, number):
        return max((s.idle for s in self.all_services if s.pool and s.pool.number == number), default=0)

    def set_time(self, now):
        """In coarse time; as many answers may be given again."""
        self.records.now = now
        self.answers = self.world.config['limits']['answers']

    def knows(self, pool):
        """Whether anything was said of the pool's slots."""
        return self.slots[pool.number].sides is not None

    def judge(self, device, frame):
        """What must become of the frame that comes in by the device: {server or None: Answer}, in which devices stand. It is
        Unsure of some, and has changed nothing then."""
        return {server: answer._replace(interface=self.world.links.get(answer.interface, {}).get('device'))
                for server, answer in self.judged(device, frame).items()}

    def judged(self, device, frame):
        self.recorded = self.synproxy.touched = interface = None
        try:
            at = self.ethernet(frame)
            interface = self.world.vlans.get((device, self.vlan(frame)))
            return self.to_host(interface, self.read(interface, frame, at))
        except Says as verdict:
            return self.to_host(interface, self.stays(str(verdict), frame))

    def to_host(self, interface, answers):
        """What is passed to the host is for the interface's own MAC address, if it was for a virtual one of it."""
        return {server: answer._replace(frame=self.macs[interface] + answer.frame[6:])
                if answer.verdict in PASSED and self.is_for(interface, answer.frame) else answer
                for server, answer in answers.items()}

    def is_for(self, interface, frame):
        """Whether the frame is for this interface, by its own MAC address or a virtual one."""
        return interface is not None and frame[:6] in {self.macs[interface]} | self.virtual[interface]

    def read(self, interface, frame, at):
        kind = word(frame, at - 2)
        if kind == 0x0806:
            return self.arp(interface, frame, at)
        if kind == 0x0800:
            return self.ip(interface, frame, at, self.ipv4(frame, at), self.payload4)
        if kind == 0x86dd:
            answer = self.neighbour_discovery(interface, frame, at)
            return answer or self.ip(interface, frame, at, self.ipv6(frame, at), self.payload6)
        return self.stays('not_ours', frame)

    @staticmethod
    def stays(verdict, frame):
        return {None: Answer(verdict, None, frame)}

    @staticmethod
    def ethernet(frame):
        """Where the payload begins, behind at most two tags."""
        at, tags = 14, 0
        while True:
            if len(frame) < at:
                raise Says('unreadable')
            if word(frame, at - 2) not in (0x8100, 0x88a8):
                return at
            at, tags = at + 4, tags + 1
            if tags > 2:
                raise Says('unreadable')

    @staticmethod
    def vlan(frame):
        """The tags, without their priority; those with VLAN id 0 have nothing else (IEEE 802.1Q, table 9-2)."""
        tags, at = [], 12
        while word(frame, at) in (0x8100, 0x88a8):
            tags.append((word(frame, at), word(frame, at + 2) & 0xfff))
            at += 4
        return tuple(tag for tag in tags if tag[1])

    def head(self, interface, mac, kind):
        """The head of a frame that leaves: the interface's own MAC address and tags, of priority 0."""
        tags = b''.join(protocol.to_bytes(2, 'big') + number.to_bytes(2, 'big')
                        for protocol, number in self.world.links[interface]['tags'])
        return mac + self.macs[interface] + tags + kind

    def arp(self, interface, frame, at):
        """RFC 826, for Ethernet and IPv4."""
        if interface is None:
            return self.stays('not_ours', frame)
        if len(frame) < at + 28 or frame[at:at + 6] != b'\x00\x01\x08\x00\x06\x04':
            raise Says('unreadable')
        request = ARP(frame[at:at + 28])
        target = ipaddress.ip_address(request.pdst)
        if target not in self.ours:
            return self.stays('not_ours', frame)
        mac = self.answers_with[target]  # RFC 9568, 8.1.2
        if request.op != 1 or self.ours[target][0] != interface or \
                not (frame[:6] == BROADCAST or self.is_for(interface, frame)):
            return self.stays('elsewhere', frame)
        answer = ARP(op=2, hwsrc=str2mac(mac), psrc=request.pdst, hwdst=request.hwsrc, pdst=request.psrc)
        frame = frame[6:12] + mac + frame[12:at] + bytes(answer) + frame[at + 28:]
        return {None: Answer('arp_answered', interface, frame)}

    def neighbour_discovery(self, interface, frame, at):
        """RFC 4861, 7.1.1 and 7.2.4; None when it is not a solicitation for one of our addresses."""
        if len(frame) < at + 40 or frame[at] >> 4 != 6:
            raise Says('unreadable')
        icmp, length = at + 40, word(frame, at + 4)
        if frame[at + 6] != ICMP6 or len(frame) < icmp + 24 or frame[icmp] != 135:
            return None
        if interface is None:
            return self.stays('not_ours', frame)
        target = ipaddress.ip_address(frame[icmp + 8:icmp + 24])
        source, group = frame[at + 8:at + 24], frame[at + 24:at + 40]
        if target not in self.ours:
            return None
        where, gateway = self.ours[target]
        if where != interface:
            return self.stays('elsewhere', frame)
        probe = not any(source)  # duplicate address detection, RFC 4862
        solicited_node = ipaddress.ip_address('ff02::1:ff00:0').packed[:13] + target.packed[13:]
        if frame[at + 7] != 255 or frame[icmp + 1] != 0 or source[0] == 0xff or \
                (probe and group != solicited_node) or length < 24 or icmp + length > len(frame):
            return self.stays('malformed', frame)
        to = 'ff02::1' if probe else str(ipaddress.ip_address(source))
        answer = IPv6(src=str(target), dst=to, hlim=255)
        answer /= ICMPv6ND_NA(tgt=str(target), R=int(gateway), S=int(not probe), O=1)
        mac = self.answers_with[target]  # RFC 9568, 8.2.2
        answer /= ICMPv6NDOptDstLLAddr(lladdr=str2mac(mac))
        ethernet = (ALL_NODES_MAC if probe else frame[6:12]) + mac + frame[12:at]
        return {None: Answer('nd_answered', interface, ethernet + bytes(answer))}

    @staticmethod
    def ipv4(frame, at):
        if len(frame) < at + 20 or frame[at] >> 4 != 4:
            raise Says('unreadable')
        return Packet(False, at, ipaddress.ip_address(frame[at + 12:at + 16]),
                      ipaddress.ip_address(frame[at + 16:at + 20]), at + 8, word(frame, at + 2),
                      frame[at + 9], at + (frame[at] & 15) * 4, at + word(frame, at + 2))

    @staticmethod
    def ipv6(frame, at):
        end = at + 40 + word(frame, at + 4)
        return Packet(True, at, ipaddress.ip_address(frame[at + 8:at + 24]),
                      ipaddress.ip_address(frame[at + 24:at + 40]), at + 7, end - at,
                      frame[at + 6], at + 40, end)

    @staticmethod
    def payload4(frame, packet):
        """Checks the lengths of the header; the packet as it is."""
        if packet.payload < packet.at + 20 or packet.payload > packet.end or packet.end > len(frame):
            raise Says('malformed')
        place = word(frame, packet.at + 6)
        if place & 0x3fff:
            packet = packet._replace(part=Part(word(frame, packet.at + 4), (place & 0x1fff) * 8,
                                               packet.end - packet.payload, bool(place & 0x2000)))
        return packet

    def payload6(self, frame, packet):
        """Follows the extension headers (RFC 8200, 4): the packet with what is behind them."""
        if packet.end > len(frame):
            raise Says('malformed')
        return self.extensions(frame, packet, 0xfff9)

    @staticmethod
    def extensions(frame, packet, part):
        """A fragment header is the last if it has any of these bits; else it is before a whole packet (RFC 6946, 4)."""
        kind, at = packet.protocol, packet.payload
        for followed in range(8):
            if kind in (50, 51):
                raise Unfollowed('extension')
            if kind not in (0, 43, FRAGMENT, 60):
                return packet._replace(protocol=kind, payload=at)
            if followed == 6:
                raise Unfollowed('extension')
            if at + 8 > packet.end:
                raise Says('malformed')
            place, behind = word(frame, at + 2), at + 8
            if kind == FRAGMENT and place & part:
                return packet._replace(protocol=frame[at], payload=behind, part=Part(
                    int.from_bytes(frame[at + 4:at + 8], 'big'), place & 0xfff8, packet.end - behind, bool(place & 1)))
            if kind != FRAGMENT:
                behind += frame[at + 1] * 8
            if behind > packet.end:
                raise Says('malformed')
            if kind == 43 and frame[at + 3]:
                raise Unfollowed('extension')
            kind, at = frame[at], behind
        raise AssertionError

    @staticmethod
    def ports(frame, packet):
        """Checks the TCP, UDP or SCTP header; (source, destination), of other protocols zeros."""
        at, left = packet.payload, packet.end - packet.payload
        if packet.protocol not in HEADERS:
            return 0, 0
        if packet.protocol == TCP and (left < 20 or not 20 <= (frame[at + 12] >> 4) * 4 <= left):
            raise Says('malformed')
        if packet.protocol == SCTP and left < 12:
            raise Says('malformed')
        if packet.protocol == UDP and (left < 8 or not 8 <= word(frame, at + 4) <= left):
            raise Says('malformed')
        return word(frame, at), word(frame, at + 2)

    def complete(self, frame, packet):
        """The packet, and its ports. Those of a fragment are its datagram's."""
        if not packet.part:
            return packet, self.ports(frame, packet)
        part, ports = packet.part, None
        if not part.bytes or (part.more and part.bytes % 8) or part.at + part.bytes > BYTES_MAX:
            raise Says('malformed')
        if not part.at:
            packet = self.first(frame, packet)
        without = packet.protocol not in HEADERS
        if without and packet.target not in self.rest and not (packet.is6 and part.at):
            raise Says('fragment')
        if not part.at:
            ports = (0, 0) if without else self.first_ports(frame, packet)
        datagram = self.datagram(packet, ports)
        if not datagram.take(part):
            raise Says('fragment_overlap')
        if datagram.is_whole():
            self.datagrams.forget(datagram)
        packet = packet._replace(protocol=datagram.protocol, payload=None if part.at else packet.payload)
        return packet, datagram.ports

    def first(self, frame, packet):
        """The first fragment with what is behind its headers, all of which must be in it: RFC 7112, 5; RFC 1858, 3."""
        if packet.is6:
            try:
                inner = self.extensions(frame, packet._replace(protocol=FRAGMENT, payload=packet.payload - 8, part=None),
                                        0xfff8)
                if inner.part:
                    raise Unfollowed('extension')
            except Unfollowed:  # by addresses, where a service takes such
                if packet.target not in self.rest:
                    raise
                return packet._replace(protocol=FRAGMENT)
            except Says:
                raise Says('fragment_tiny') from None
            packet = inner._replace(part=packet.part)
        return packet

    @staticmethod
    def first_ports(frame, packet):
        """Of a first fragment, in which the whole transport header must be (RFC 1858, 3)."""
        left = packet.end - packet.payload
        if left < HEADERS[packet.protocol]:
            raise Says('fragment_tiny')
        header = (frame[packet.payload + 12] >> 4) * 4 if packet.protocol == TCP else 0
        if packet.protocol == TCP and header < 20:
            raise Says('malformed')
        if header > left:
            raise Says('fragment_tiny')
        return word(frame, packet.payload), word(frame, packet.payload + 2)

    def datagram(self, packet, ports):
        """That of a fragment; ports: of a first one."""
        number, now = packet.part.id, self.records.now
        number, protocol = ((number >> 16, number & 0xffff), FRAGMENT) if packet.is6 else ((number, 0), packet.protocol)
        who = siphash.flow_hash(packet.source, packet.target, *number, protocol)
        datagram = self.datagrams.find(who, now)
        if datagram or not ports:
            if not datagram:
                raise Says('fragment_orphan')
            return datagram
        # What is between two addresses of which none is known may be noted or not: only one that is tells that it is.
        if not {packet.source, packet.target} & self.known:
            raise Unsure
        return self.datagrams.begin(Datagram(who, now, packet.protocol, ports), now)

    def ip(self, interface, frame, at, packet, payload):
        if not self.is_for(interface, frame):
            return self.stays('not_ours', frame)
        if packet.target not in self.ours:
            return self.reply(interface, frame, packet, payload)
        try:
            packet = payload(frame, packet)
        except Unfollowed:  # by addresses, where a service takes such
            if packet.target not in self.rest:
                raise
            return self.request(interface, frame, packet._replace(protocol=None), (0, 0))
        if packet.part:
            return self.request(interface, frame, *self.complete(frame, packet))
        if packet.protocol == (ICMP6 if packet.is6 else ICMP):
            if self.is_error(frame, packet):
                return self.error_in(interface, frame, packet)
            return self.echo(interface, frame, packet)
        return self.request(interface, frame, *self.complete(frame, packet))

    def request(self, interface, frame, packet, ports):
        service = self.service(packet.target, ports[1], packet.protocol)
        if service is None:
            raise Says('no_service')
        self.flow = (packet.source, packet.target, packet.protocol, *ports), service.pool
        self.guard(service, frame, packet, ports)
        if service.pool and not service.pool.open and not self.knows(service.pool):
            return {None: self.no_server(service, interface, frame, packet)}
        if service.forward == 'local':  # whose stack takes no cookies yet
            raise Says('local')
        if service.cookies is not None and packet.protocol == TCP:
            verdict, frame = self.synproxy.request(
                service.cookies, frame, packet, (packet.source, packet.target, *ports), service.idle,
                self.world.links[interface]['mtu'], self.records.now)
            if verdict:
                return {None: Answer(verdict, interface if verdict == 'syn_cookie' else None, frame)}
            packet = self.resized(frame, packet)
        if frame[packet.ttl_at] <= 1:
            return {None: self.expired(interface, frame, packet, packet.target)}
        if service.client:
            flow = siphash.client_hash(packet.source, service.pool.number)
        else:
            flow = siphash.flow_hash(packet.source, packet.target, *ports, packet.protocol)
        return {server: self.forward(service, server, flow, interface, frame, packet)
                for server in self.choices(service, flow, frame, packet)}

    @staticmethod
    def is_error(frame, packet):
        """RFC 792; RFC 4443, 2.1."""
        if packet.end - packet.payload < 8:
            raise Says('malformed')
        return frame[packet.payload] in ((1, 2, 3, 4) if packet.is6 else (3, 11, 12))

    def quoted(self, frame, packet):
        """What an ICMP error quotes: that packet and its two ports; or Says that these are not there."""
        part, at = frame[:packet.end], packet.payload + 8
        if len(part) < at + (40 if packet.is6 else 20) or part[at] >> 4 != (6 if packet.is6 else 4):
            raise Says('icmp_no_flow')
        if packet.is6:
            inner = self.ipv6(part, at)._replace(end=len(part))
            try:
                inner = self.extensions(part, inner, 0xfff8)
            except Unfollowed:
                if inner.protocol != 50:
                    raise Says('icmp_no_flow') from None
            except Says:
                raise Says('icmp_no_flow') from None
        else:
            inner = self.ipv4(part, at)
        later = inner.part if packet.is6 else word(part, at + 6) & 0x1fff
        if later or inner.payload < at + 20 or inner.payload + 8 > len(part) or \
                inner.protocol == (ICMP6 if packet.is6 else ICMP):
            raise Says('icmp_no_flow')
        if inner.protocol not in (TCP, UDP, SCTP):
            return inner, 0, 0
        return inner, word(part, inner.payload), word(part, inner.payload + 2)

    def error_in(self, interface, frame, packet):
        """About what one of our addresses sent: to the flow's server."""
        inner, ours, port = self.quoted(frame, packet)
        service = self.service(packet.target, ours, inner.protocol)
        if inner.source != packet.target or service is None:
            raise Says('icmp_no_flow')
        self.guard_error(service, packet, inner.target)
        self.flow = (inner.target, packet.target, inner.protocol, port, ours), service.pool
        if service.forward == 'local':
            raise Says('local')
        if not service.pool.open and not self.knows(service.pool):
            raise Says('no_server')
        if frame[packet.ttl_at] <= 1:
            raise Says('ttl_exceeded')
        flow = siphash.client_hash(inner.target, service.pool.number) if service.client else \
            siphash.flow_hash(inner.target, packet.target, port, ours, inner.protocol)
        return {server: self.forward_error(service, server, flow, interface, frame, packet, inner, ours)
                for server in self.peek(service, flow)}

    def peek(self, service, flow):
        number = service.pool.number
        if not self.knows(service.pool):
            return service.pool.open
        owner, base = self.slots[number].of(flow)
        if service.untracked or base is None and not service.track_all:
            return [self.names[owner]]
        idle = self.records.idle[number] if service.client else service.idle
        return [self.names[self.records.peek(number, flow, idle)]]

    def forward_error(self, service, server, flow, interface, frame, packet, inner, ours):
        if server is None:
            return Answer('no_server', None, frame)
        address, port = service.where[server]
        kind, hop = self.route(address)
        if kind != 'unicast':
            return Answer('no_route', None, frame)
        if service.forward == 'tunnel':
            return self.quiet(self.tunnel(service, server, interface, frame, packet, hop, flow), frame)
        answer = self.quiet(self.send('forwarded', interface, frame, packet, hop, None, False), frame)
        if service.forward == 'nat' and answer.verdict == 'forwarded':
            return self.translate_error(answer, frame, packet, inner, (address, port or ours), False)
        return answer

    def error_out(self, interface, frame, packet):
        """About what a client sent to a nat service: to the client."""
        try:
            packet = (self.payload6 if packet.is6 else self.payload4)(frame, packet)
            is_error = not packet.part and self.is_error(frame, packet)
            inner, _, port = self.quoted(frame, packet) if is_error else (None, 0, 0)
        except Says:
            inner = None
        back = inner and self.back(inner.target, port, inner.protocol)
        if not inner or inner.source != packet.target or back is None:
            return self.stays('not_ours', frame)
        kind, hop = self.route(packet.target)
        if kind == 'local':
            return self.stays('own', frame)
        if frame[packet.ttl_at] <= 1:
            raise Says('ttl_exceeded')
        if kind != 'unicast':
            raise Says('no_route')
        answer = self.quiet(self.send('replied', interface, frame, packet, hop, None, False), frame)
        if answer.verdict == 'replied':
            answer = self.translate_error(answer, frame, packet, inner, back, True)
        return {None: answer}

    @staticmethod
    def quiet(answer, frame):
        """RFC 1122, 3.2.2: no error about an error."""
        return Answer('too_big', None, frame) if answer.verdict == 'too_big_answered' else answer

    @staticmethod
    def translate_error(answer, frame, packet, inner, new, at_source):
        """RFC 5508, 4.2: one end of the error, the other of the quote, and all checksums over them."""
        out, moved = bytearray(answer.frame), len(answer.frame) - len(frame)  # by other tags
        packet, inner = (p._replace(at=p.at + moved, payload=p.payload + moved, end=p.end + moved)
                         for p in (packet, inner))

        def put(at, value):
            old = bytes(out[at:at + len(value)])
            out[at:at + len(value)] = value
            return old, bytes(value)

        size, first = (16, 8) if packet.is6 else (4, 12)
        outer = put(packet.at + first + (0 if at_source else size), new[0].packed)
        address = put(inner.at + first + (size if at_source else 0), new[0].packed)
        port = put(inner.payload + (2 if at_source else 0), new[1].to_bytes(2, 'big'))
        changes = [address, port]
        if packet.is6:
            changes.append(outer)
        else:
            put(packet.at + 10, update(word(out, packet.at + 10), *outer))
            changes.append(put(inner.at + 10, update(word(out, inner.at + 10), *address)))
        at = inner.payload + CHECKSUM_AT.get(inner.protocol, 0)
        if inner.protocol != SCTP and at + 2 <= packet.end and not (inner.protocol == UDP and not word(out, at)):
            checksum = update(word(out, at), address[0] + port[0], address[1] + port[1])
            changes.append(put(at, b'\xff\xff' if inner.protocol == UDP and checksum == b'\0\0' else checksum))
        old, to = (b''.join(part) for part in zip(*changes))
        put(packet.payload + 2, update(word(out, packet.payload + 2), old, to))
        return answer._replace(frame=bytes(out))

    def guard(self, service, frame, packet, ports):
        """What stands between a service and its ring, as far as the configuration says so."""
        drops = {what for what, does in self.world.config.get('guard', {}).items() if does == 'drop'}
        if packet.protocol == TCP and packet.payload is not None and 'invalid_flags' in drops:
            flags = Tcp(frame[packet.payload:packet.end]).flags
            kinds = [flag for flag in 'SFR' if getattr(flags, flag)]
            opens = kinds == ['S'] and not (flags.A and flags.U)
            resets = kinds == ['R'] and not flags.U
            if not (opens or resets or (kinds in ([], ['F']) and flags.A)):
                raise Says('invalid_flags')
        itself = packet.source == packet.target
        if itself and ports[0] == ports[1] and 'land' in drops:
            raise Says('land')
        if 'bogons' in drops and (itself or any(packet.source in net for net in BOGONS)):
            raise Says('bogon_source')
        if not all(sources.admits(packet.source) for sources in service.lists):
            raise Says('denied')
        self.count(service, frame, packet)

    def guard_error(self, service, packet, client):
        """Of an ICMP error about a flow with the client. Allow lists name clients, and whom it comes from need be none."""
        routers = [sources for sources in service.lists if not sources.only]
        for source, lists in (packet.source, routers), (client, service.lists):
            bogon = source == packet.target or any(source in net for net in BOGONS)
            if bogon and self.world.config.get('guard', {}).get('bogons') == 'drop':
                raise Says('bogon_source')
            if not all(sources.admits(source) for sources in lists):
                raise Says('denied')

    def count(self, service, frame, packet):
        """A token bucket for each source of each service, full again with every unit of coarse time. The table has room
        for all sources of such a time, so that the model need not forget any."""
        if service.rates == [float('inf')] * 2:
            return
        source = packet.source
        if packet.is6:
            source = ipaddress.ip_network((source, 64), strict=False)
        if self.sent_at != self.records.now:
            self.sent_at, self.sent = self.records.now, {}
        sent = self.sent.setdefault((id(service), source), [0, 0])
        begins = packet.protocol == TCP and self.is_syn(frame, packet)
        if sent[0] >= service.rates[0]:
            raise Says('source_rate')
        if begins and sent[1] >= service.rates[1]:
            raise Says('source_syn_rate')
        sent[0] += 1
        sent[1] += begins

    @staticmethod
    def is_syn(frame, packet):
        if packet.payload is None:
            return False
        flags = Tcp(frame[packet.payload:packet.end]).flags
        return bool(flags.S and not flags.A)

    def by_connection_id(self, service, frame, packet):
        """The server that a QUIC packet names, if it serves (RFC 8999, 5.1 and 5.2; QUIC-LB, 5.1), or None."""
        data = frame[packet.payload + 8:packet.payload + word(frame, packet.payload + 4)]
        need = 1 + service.quic + 4
        if len(data) < 1 + need:
            return None
        cid = data[1:] if data[0] < 0x80 else data[6:6 + data[5]]
        if data[0] >= 0x80 and (data[5] < need or len(data) < 6 + data[5]) or cid[0] >> 5 == 7:
            return None
        for name, server in self.world.config['pools'][service.pool.name]['servers'].items():
            if server.get('quic_id') == cid[1:1 + service.quic].hex():
                return None if service.pool.servers[name] in self.down else name
        return None

    def choices(self, service, flow, frame, packet):
        """The servers that the packet may go to; [None]: there is none."""
        named = self.by_connection_id(service, frame, packet) if service.quic and not packet.part else None
        if named:
            return [named]
        number = service.pool.number
        if not self.knows(service.pool):
            assert not service.track_all
            return service.pool.open
        owner, base = self.slots[number].of(flow)
        if service.untracked or base is None and not service.track_all:
            return [self.names[owner]]
        idle, signal, seq = service.idle, None, 0
        if service.client:
            idle = self.records.idle[number]
        elif packet.protocol == TCP and packet.payload is None:
            signal = 'part'
        elif packet.protocol == TCP:
            segment = Tcp(frame[packet.payload:packet.end])
            signal, seq = self.signal(segment.flags), segment.seq
        server, allowed = self.records.packet(number, flow, idle, signal, seq)
        self.recorded = (number, flow, allowed)
        return [self.names[server]]

    @staticmethod
    def signal(flags):
        if flags.F or flags.R:
            return 'end'
        return 'syn' if flags.S and not flags.A else 'data'

    def forward(self, service, server, flow, interface, frame, packet):
        if server is None:
            return self.no_server(service, interface, frame, packet)
        address, port = service.where[server]
        kind, hop = self.route(address)
        if kind != 'unicast':
            return Answer('no_route', None, frame)
        if service.forward == 'tunnel':
            return self.tunnel(service, server, interface, frame, packet, hop, flow)
        new = (address, port or self.flow[0][4]) if service.forward == 'nat' else None
        return self.send('forwarded', interface, frame, packet, hop, new, False)

    def no_server(self, service, interface, frame, packet):
        if not service.reject or packet.payload is None:
            return Answer('no_server', None, frame)
        return self.reject(interface, frame, packet)

    def source(self, family, hop, flow):
        """Where a flow's tunnel of the family towards the next hop comes from, or None."""
        wanted = self.world.config.get('tunnel', {}).get(f'source{family}')
        if wanted:
            return siphash.spread(wanted, flow)
        own = [a for where, a in self.world.addresses if where == hop[0] and
               a.version == family and not a.is_link_local and a.ip not in self.ours]
        near = [a for a in own if hop[1] in a.network]
        return min((a.ip for a in near or own), default=None)

    def tunnel(self, service, name, interface, frame, packet, hop, flow):
        """RFC 2003, 3.1; RFC 2473, 6; RFC 4213, 3: TTL 64, DF, id 0, the flow's label; traffic class and ECN as inside. The
        server's address tells the family outside. With GUE, variant 1 of draft-ietf-intarea-gue, UDP without a checksum."""
        server = service.where[name][0]
        source = self.source(server.version, hop, flow)
        if source is None:
            return Answer('no_route', None, frame)
        room, protocol, udp = 40 if server.version == 6 else 20, 41 if packet.is6 else 4, b''
        if service.pool.gue:
            room, protocol, length = room + 8, UDP, packet.length + 8
            udp = Udp(sport=siphash.gue_source(flow), dport=service.pool.gue, len=length, chksum=0)
        path = self.world.paths.get(f'{service.pool.name}/{name}')
        if path and packet.length > path - room:
            return self.too_big(interface, frame, packet, path - room, packet.target)
        unfit = self.unfit(interface, frame, packet, hop, room, packet.target)
        if unfit:
            return unfit
        inner = bytearray(frame)
        self.set_ttl(inner, packet, frame[packet.ttl_at] - 1)
        inner = bytes(inner)
        tos = word(frame, packet.at) >> 4 & 0xff if packet.is6 else frame[packet.at + 1]
        if server.version == 6:
            kind = 0x86dd
            outer = IPv6(src=str(source), dst=str(server), tc=tos, fl=siphash.flow_label(flow),
                         plen=packet.length + len(udp), nh=protocol, hlim=64)
        else:
            kind = 0x0800
            outer = IP(src=str(source), dst=str(server), tos=tos, id=0, flags='DF', ttl=64, proto=protocol,
                       len=packet.length + room)
        link = self.head(hop[0], mac2str(self.world.neighbours[hop]), kind.to_bytes(2, 'big'))
        return Answer('forwarded', hop[0], link + bytes(outer) + bytes(udp) + inner[packet.at:])

    def answered(self):
        """One of the answers that are limited was given."""
        self.answers -= 1

    def refuse(self, silent, aloud, interface, frame, packet, answer):
        """RFC 1122, 3.2.2 and RFC 4443, 2.4 (e): to one host alone; RFC 4443, 2.4 (f): limited; RFC 1812, 4.3.2.7: about no
        later fragment."""
        first, source = packet.source.packed[0], packet.source
        if packet.is6:
            host = not (source.is_unspecified or source.is_loopback or source.is_multicast)
        else:
            host = first not in (0, 127) and first < 224
        if not host or packet.payload is None or self.answers < 1:
            return Answer(silent, None, frame)
        return Answer(aloud, interface, frame[6:12] + frame[:6] + frame[12:packet.at] + bytes(answer))

    def error(self, frame, packet, ours, error4, error6):
        """An ICMP error about the packet: RFC 1812, 4.3.2.3 and 4.3.2.5; RFC 4443, 2.4 (c)."""
        about = frame[packet.at:packet.end]
        if packet.is6:
            return IPv6(src=str(ours), dst=str(packet.source), hlim=64) / error6 / about[:1280 - 48]
        return IP(src=str(ours), dst=str(packet.source), tos=0xc0, id=0, flags='DF',
                  ttl=64) / error4 / about[:576 - 28]

    def too_big(self, interface, frame, packet, mtu, ours):
        """RFC 1191, 4; RFC 4443, 3.2."""
        error = self.error(frame, packet, ours, Icmp4(type=3, code=4, nexthopmtu=mtu),
                           ICMPv6PacketTooBig(mtu=mtu))
        return self.refuse('too_big', 'too_big_answered', interface, frame, packet, error)

    def expired(self, interface, frame, packet, ours):
        """RFC 792; RFC 4443, 3.3."""
        error = self.error(frame, packet, ours, Icmp4(type=11), ICMPv6TimeExceeded())
        return self.refuse('ttl_exceeded', 'ttl_exceeded_answered', interface, frame, packet, error)

    def reject(self, interface, frame, packet):
        """RFC 9293, 3.10.7.1; RFC 1122, 3.2.2.1; RFC 4443, 3.1."""
        if packet.protocol != TCP:
            answer = self.error(frame, packet, packet.target, Icmp4(type=3, code=3), ICMPv6DestUnreach(code=4))
        else:
            segment = Tcp(frame[packet.payload:packet.end])
            if segment.flags.R:
                return Answer('no_server', None, frame)
            length = packet.end - packet.payload - segment.dataofs * 4 + segment.flags.S + segment.flags.F
            reset = Tcp(sport=segment.dport, dport=segment.sport, window=0)
            if segment.flags.A:
                reset.flags, reset.seq = 'R', segment.ack
            else:
                reset.flags, reset.ack = 'RA', (segment.seq + length) & 0xffffffff
            ends = {'src': str(packet.target), 'dst': str(packet.source)}
            answer = (IPv6(hlim=64, **ends) if packet.is6 else IP(id=0, flags='DF', ttl=64, **ends)) / reset
        return self.refuse('no_server', 'rejected', interface, frame, packet, answer)

    def reply(self, interface, frame, packet, payload):
        if packet.protocol == (ICMP6 if packet.is6 else ICMP):
            return self.error_out(interface, frame, packet)
        try:
            packet = payload(frame, packet)
            if not packet.part and packet.protocol not in HEADERS:
                raise Says
            packet, ports = self.complete(frame, packet)
            back = self.back(packet.source, ports[0], packet.protocol)
        except Says:
            back = None
        if back is None:
            return self.stays('not_ours', frame)
        kind, hop = self.route(packet.target)
        if kind == 'local':
            return self.stays('own', frame)
        if frame[packet.ttl_at] <= 1:
            return {None: self.expired(interface, frame, packet, back[0])}
        if kind != 'unicast':
            raise Says('no_route')
        on_link = hop[1] == packet.target and hop not in self.world.neighbours
        service = self.service(*back, packet.protocol)
        if service and service.cookies is not None and not on_link:
            frame = self.synproxy.reply(frame, packet, (packet.target, back[0], ports[1], back[1]), self.records.now)
            packet = self.resized(frame, packet)
        return {None: self.send('replied', interface, frame, packet, hop, back, True)}

    @staticmethod
    def resized(frame, packet):
        """A packet whose segment may be another one now."""
        length = word(frame, packet.at + (4 if packet.is6 else 2)) + (40 if packet.is6 else 0)
        return packet._replace(length=length, end=packet.at + length)

    def echo(self, interface, frame, packet):
        """RFC 792; RFC 4443, 4.2 and 2.4 (e)."""
        at = packet.payload
        if packet.end - at < 8:
            raise Says('malformed')
        if (frame[at], frame[at + 1]) != ((128, 0) if packet.is6 else (8, 0)):
            raise Says('icmp_unhandled')
        if packet.source.is_unspecified or \
                (packet.source.is_multicast if packet.is6 else packet.source.packed[0] >= 224):
            raise Says('malformed')
        out = bytearray(frame)
        out[:12] = frame[6:12] + frame[:6]
        self.set_ttl(out, packet, 64)
        first, size = (packet.at + 8, 16) if packet.is6 else (packet.at + 12, 4)
        out[first:first + 2 * size] = packet.target.packed + packet.source.packed
        old = bytes(out[at:at + 2])
        out[at] = 129 if packet.is6 else 0
        checksum = update(word(out, at + 2), old, out[at:at + 2])
        # Of the two zeros the one that is right even over a message of zeros (RFC 1071, 1).
        out[at + 2:at + 4] = b'\xff\xff' if checksum == b'\0\0' and not packet.is6 else checksum
        return {None: Answer('echo_answered', interface, bytes(out))}

    @staticmethod
    def set_ttl(out, packet, ttl):
        old = bytes(out[packet.at + 8:packet.at + 10])
        out[packet.ttl_at] = ttl
        if not packet.is6:
            new = out[packet.at + 8:packet.at + 10]
            out[packet.at + 10:packet.at + 12] = update(word(out, packet.at + 10), old, new)

    def route(self, address):
        """The longest match: ('unicast', (interface, next hop)), or ('local' or 'discard', None)."""
        best = None
        for one in self.world.routes:
            if address in one[0] and (best is None or one[0].prefixlen > best[0].prefixlen):
                best = one
        if best is None or (best[1] == 'unicast' and best[2] not in self.world.links):
            return 'discard', None
        return best[1], (best[2], best[3] or address)

    def unfit(self, interface, frame, packet, hop, room, ours):
        """Why the packet cannot leave to the next hop with so much around it, or None."""
        fits = self.world.links[hop[0]]['mtu'] - room
        if packet.length > fits:
            return self.too_big(interface, frame, packet, fits, ours)
        if hop not in self.world.neighbours:
            return Answer('no_neighbour', None, frame)
        return None

    def send(self, verdict, interface, frame, packet, hop, new, at_source):
        """Out to the next hop, with `new` (address, port) as destination or source."""
        unfit = self.unfit(interface, frame, packet, hop, 0, new[0] if at_source else packet.target)
        if unfit:
            return unfit
        out = bytearray(frame)
        self.set_ttl(out, packet, frame[packet.ttl_at] - 1)
        if new:
            self.translate(out, packet, new, at_source)
        out[:packet.at] = self.head(hop[0], mac2str(self.world.neighbours[hop]), frame[packet.at - 2:packet.at])
        return Answer(verdict, hop[0], bytes(out))

    @staticmethod
    def translate(out, packet, new, at_source):
        size = len(new[0].packed)
        address_at = packet.at + (8 if packet.is6 else 12) + (0 if at_source else size)
        old = bytes(out[address_at:address_at + size])
        out[address_at:address_at + size] = new[0].packed
        if not packet.is6:
            out[packet.at + 10:packet.at + 12] = update(word(out, packet.at + 10), old, new[0].packed)
        if packet.payload is None:
            return  # the first fragment's checksum covers all
        port_at = packet.payload + (0 if at_source else 2)
        sum_at = packet.payload + CHECKSUM_AT.get(packet.protocol, 0)
        changed = old + bytes(out[port_at:port_at + 2])
        out[port_at:port_at + 2] = new[1].to_bytes(2, 'big')
        if packet.protocol == SCTP or packet.protocol == UDP and word(out, sum_at) == 0:
            return  # RFC 9260, 3.1: no address is in its checksum. RFC 768: the sender made none
        checksum = update(word(out, sum_at), changed, new[0].packed + new[1].to_bytes(2, 'big'))
        if packet.protocol == UDP and checksum == b'\0\0':
            checksum = b'\xff\xff'
        out[sum_at:sum_at + 2] = checksum

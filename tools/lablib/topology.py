# SPDX-License-Identifier: BSD-2-Clause
"""Who is on which network, and with which addresses. Data only: wiring.py makes it real.

              client
                │
    front ══════╪═════════════════════════  10.80.1.0/24  fd80:1::/64    VIP web    .10 ::10
          ┌─────┴─┐         ┌───────┐
          │ lb-a  │── ha ───│ lb-b  │       10.80.3.0/24  fd80:3::/64
          └─────┬─┘         └───┬───┘
    back  ══════╪═══════════════╪═════════  10.80.2.0/24  fd80:2::/64    VIP app    .20 ::20
          web1 web2  app1 app2  db1 db2 db3                              gateway    .1  ::1

With `dsr` and `tunnel` the web servers are on both networks, and answer the client by front.

The last number of an address is the same in both families, read as decimal and as hexadecimal.
"""
import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A bridge in the switch namespace, and the name of every interface that hangs on it."""
    name: str
    ipv4: str
    ipv6: str

    def addresses(self, number):
        """Both addresses of `number`, each with the network's prefix length."""
        return [self._interface(self.ipv4, number), self._interface(self.ipv6, int(str(number), 16))]

    @staticmethod
    def _interface(network, number):
        net = ipaddress.ip_network(network)
        return ipaddress.ip_interface(f'{net[number]}/{net.prefixlen}')


@dataclass(frozen=True)
class Vip:
    """An address that the appliance answers for, one in each family."""
    name: str
    network: Network
    number: int
    port: int

    def addresses(self):
        return [interface.ip for interface in self.network.addresses(self.number)]


@dataclass(frozen=True)
class Host:
    name: str
    number: int
    networks: tuple  # of Network; each is an interface of that name
    gateway: tuple = ()  # addresses of the default route, at most one of each family
    answers: tuple = ()  # addresses on lo that are never announced: those of a `dsr` service
    xdp: bool = False  # XDP programs send from its interfaces
    sysctls: tuple = ()

    def addresses(self, network):
        return network.addresses(self.number)


@dataclass(frozen=True)
class Topology:
    networks: tuple
    hosts: tuple
    vips: tuple

    def host(self, name):
        return next(host for host in self.hosts if host.name == name)

    def host_names(self):
        return [host.name for host in self.hosts]


FRONT = Network('front', '10.80.1.0/24', 'fd80:1::/64')
BACK = Network('back', '10.80.2.0/24', 'fd80:2::/64')
HA = Network('ha', '10.80.3.0/24', 'fd80:3::/64')

WEB = Vip('web', FRONT, 10, 80)
APP = Vip('app', BACK, 20, 8000)
GATEWAY = tuple(interface.ip for interface in BACK.addresses(1))

# A `dsr` server owns the VIP, but leaves it to the appliance to answer ARP for it. (IPv6 needs no such
# setting: Linux answers for addresses of the asked interface only.)
QUIET_ARP = ('net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2')


def _app(name, number):
    return Host(name, number, (BACK,), answers=tuple(APP.addresses()), sysctls=QUIET_ARP)


def _web(name, number, forward):
    if forward == 'nat':
        return Host(name, number, (BACK,), gateway=GATEWAY)
    return Host(name, number, (BACK, FRONT), answers=tuple(WEB.addresses()), sysctls=QUIET_ARP)


FORWARDS = ('nat', 'tunnel', 'dsr')  # how packets get to the web servers


def site(web=FORWARDS[0]):
    return Topology(
        networks=(FRONT, BACK, HA),
        hosts=(
            Host('client', 99, (FRONT,)),
            Host('lb-a', 2, (FRONT, BACK, HA), xdp=True),
            Host('lb-b', 3, (FRONT, BACK, HA), xdp=True),
            _web('web1', 11, web),
            _web('web2', 12, web),
            _app('app1', 21),
            _app('app2', 22),
            Host('db1', 31, (BACK,)),
            Host('db2', 32, (BACK,)),
            Host('db3', 33, (BACK,)),
        ),
        vips=(WEB, APP),
    )


SITE = site()

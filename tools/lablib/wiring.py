# SPDX-License-Identifier: BSD-2-Clause
"""Turns a topology into network namespaces, bridges and veths.

Everything is made inside the namespaces PREFIX-HOST and PREFIX-switch, and so nothing of it ever
shows among the machine's own interfaces.
"""
import json
import os
import subprocess

from lablib.failure import Failure

NETNS_DIR = '/run/netns'
SWITCH = 'switch'

# For every host. IPv6 addresses work at once (no duplicate address detection), nothing is forwarded by
# the kernel, and no reply is refused for the way it came.
SYSCTLS = (
    'net.ipv4.ip_forward=0', 'net.ipv6.conf.all.forwarding=0',
    'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0',
    'net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.default.disable_ipv6=0',
    'net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0',
    'net.ipv6.conf.all.accept_ra=0', 'net.ipv6.conf.default.accept_ra=0',
)
# The switch has no addresses: it only passes frames on.
SWITCH_SYSCTLS = ('net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1')

# A veth hands packets over with checksums not yet filled in, and several in one, unless told not to. A
# program that changes packets needs them as they would be on a wire.
OFFLOADS = ('tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off')

# One queue, so that a socket bound to it (AF_XDP) sees every packet.
QUEUES = 'numtxqueues 1 numrxqueues 1'


def namespace(prefix, host):
    return f'{prefix}-{host}'


def namespaces(prefix):
    """Names of the namespaces that exist, finished or not."""
    try:
        names = os.listdir(NETNS_DIR)
    except FileNotFoundError:
        return []
    return sorted(name for name in names if name.startswith(prefix + '-'))


def inodes(prefix):
    """{inode: namespace}: what `/proc/PID/ns/net` shows for processes inside."""
    out = {}
    for name in namespaces(prefix):
        try:
            out[os.stat(f'{NETNS_DIR}/{name}').st_ino] = name
        except FileNotFoundError:
            pass
    return out


def enter(name, argv):
    """The command line that runs argv inside a namespace. Unlike `ip netns exec` this leaves /sys alone."""
    return ['nsenter', f'--net={NETNS_DIR}/{name}', '--', *argv]


def run(argv, text=None):
    """Runs a tool; a Failure says what it said."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Failure(f'`{" ".join(argv)}` failed: {said[-1] if said else done.returncode}')
    return done.stdout


def succeeds(argv):
    return not subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode


def port(network, host):
    """The switch's end of a host's interface; short enough for IF_NAMESIZE."""
    return f'{host.name}.{network.name}'


def mac(topology, network, host):
    return f'02:80:00:{topology.networks.index(network) + 1:02x}:00:{int(str(host.number), 16):02x}'


def build(topology, prefix, pass_object=None):
    """Makes it all. With pass_object the switch's ends of the hosts' interfaces that XDP programs send
    from run it: a veth takes frames from XDP only if its peer has a program too."""
    switch = namespace(prefix, SWITCH)
    _add_namespace(switch, SWITCH_SYSCTLS)
    _ip(switch, [f'link add {net.name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0'
                 for net in topology.networks])
    _ip(switch, [f'link set {net.name} up' for net in topology.networks])
    for host in topology.hosts:
        _add_host(topology, prefix, host)
    ports = [port(net, host) for host in topology.hosts for net in host.networks]
    _set_offloads(switch, ports)
    if pass_object:
        _ip(switch, [f'link set {port(net, host)} xdpdrv obj {pass_object} sec xdp'
                     for host in topology.hosts if host.xdp for net in host.networks])


def destroy(prefix):
    """Removes whatever there is of it, also half of it."""
    switch = namespace(prefix, SWITCH)
    try:
        _remove_links(switch)
    except Failure:
        pass  # there is no switch, or one that was never finished: it has no links
    for name in namespaces(prefix):
        run(['ip', 'netns', 'del', name])


def _add_namespace(name, sysctls):
    run(['ip', 'netns', 'add', name])
    run(enter(name, ['sysctl', '-qw', *sysctls]))


def _add_host(topology, prefix, host):
    name, switch = namespace(prefix, host.name), namespace(prefix, SWITCH)
    _add_namespace(name, SYSCTLS + host.sysctls)
    _ip(switch, [f'link add {port(net, host)} {QUEUES} type veth peer name {net.name} {QUEUES} '
                 f'address {mac(topology, net, host)} netns {name}' for net in host.networks])
    _ip(switch, [f'link set {port(net, host)} master {net.name} up' for net in host.networks])
    _ip(name, ['link set lo up', *_host_lines(host)])
    _set_offloads(name, [net.name for net in host.networks])


def _host_lines(host):
    lines = []
    for net in host.networks:
        lines += [f'addr add {address} dev {net.name}' + ('' if address.version == 4 else ' nodad')
                  for address in host.addresses(net)]
        lines.append(f'link set {net.name} up')
    lines += [f'addr add {address}/{address.max_prefixlen} dev lo' for address in host.answers]
    lines += [f'route add default via {address}' for address in host.gateway]
    return lines


def _ip(name, lines):
    """Runs `ip` commands inside a namespace in one go."""
    run(['ip', '-n', name, '-batch', '-'], '\n'.join(lines) + '\n')


def _set_offloads(name, devices):
    for device in devices:
        run(enter(name, ['ethtool', '-K', device, *OFFLOADS]))


def _remove_links(switch):
    """Removing the switch's ends at once takes the hosts' ends and their programs along; a namespace that
    somebody's shell still holds open would keep them."""
    links = json.loads(run(['ip', '-n', switch, '-json', 'link']))
    _ip(switch, [f'link del {link["ifname"]}' for link in links if link['ifname'] != 'lo'])

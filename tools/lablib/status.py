# SPDX-License-Identifier: BSD-2-Clause
"""What a lab is made of at this moment, as data and as text."""
from lablib import wiring
from lablib.failure import Failure


def collect(lab):
    """As `tools/lab status --json` prints it."""
    settings = lab.settings()
    existing = wiring.namespaces(lab.prefix)
    return {
        'id': lab.id,
        'up': settings is not None,
        'directory': lab.directory,
        'networks': [{'name': net.name, 'ipv4': net.ipv4, 'ipv6': net.ipv6} for net in lab.site.networks],
        'hosts': [_host(lab, host, existing) for host in lab.site.hosts],
        'vips': [{'name': vip.name, 'network': vip.network.name, 'port': vip.port,
                  'addresses': [str(address) for address in vip.addresses()]} for vip in lab.site.vips],
        'engine': _engine(lab) if settings and settings['tandem'] else None,
        'processes': [{'name': record.name, 'host': record.host, 'pid': record.pid, 'port': record.port or None,
                       'socket': record.socket or None,
                       'alive': lab.processes.alive(record), 'log': record.log, 'argv': record.argv}
                      for record in lab.processes.records()],
    }


def _host(lab, host, existing):
    name = wiring.namespace(lab.prefix, host.name)
    return {
        'name': host.name, 'namespace': name, 'exists': name in existing,
        'interfaces': [{'name': net.name, 'mac': wiring.mac(lab.site, net, host),
                        'addresses': [str(address) for address in host.addresses(net)]} for net in host.networks],
        'gateways': [str(address) for address in host.gateway],
        'answers': [str(address) for address in host.answers],
    }


def _engine(lab):
    try:
        return lab.appliance.ask('status')['engine']
    except Failure:
        return None


def _engine_text(engine):
    if not engine:
        return 'none, or its tandemd does not answer'
    ports = ', '.join(f'{port["name"]} ({port["mode"]})' for port in engine['ports'])
    return f'{engine["type"]}, generation {engine["generation"]}, on {ports}'


def text(told):
    """For people."""
    lines = [f'lab {told["id"]} is {"up" if told["up"] else "not up"}, in {told["directory"]}', '']
    for host in told['hosts']:
        interfaces = '  '.join(f'{one["name"]} {" ".join(one["addresses"])}' for one in host['interfaces'])
        lines.append(f'{host["name"]:8}{interfaces}' + ('' if host['exists'] else '  (missing)'))
    lines.append('')
    for vip in told['vips']:
        lines.append(f'VIP {vip["name"]:8}{" ".join(vip["addresses"])} port {vip["port"]}')
    lines += [f'engine      {_engine_text(told["engine"])}', '']
    for process in told['processes']:
        seen = 'runs' if process['alive'] else 'ended'
        lines.append(f'{process["name"]:12}{process["host"]:8}pid {process["pid"]:<8}{seen}')
    return '\n'.join(lines).rstrip()

# SPDX-License-Identifier: BSD-2-Clause
"""What runs on which host: its files, its command line, and what it listens at, by which one knows that it runs."""
import os
import shutil
from dataclasses import dataclass

from lablib import topology
from lablib.failure import Failure

CONFIG = 'config/lab'
BLOB_BYTES = 65536


@dataclass(frozen=True)
class Service:
    name: str
    host: str
    argv: tuple
    port: int = 0  # 0: listens on no TCP port
    socket: str = ''  # path of a Unix socket, which whatever comes after it needs


class Files:
    """Writes what services need below the lab's directory, from the templates in the checkout."""

    def __init__(self, root, directory):
        self.templates = f'{root}/{CONFIG}'
        self.directory = directory

    def folder(self, path, owner=None):
        full = f'{self.directory}/{path}'
        os.makedirs(full, exist_ok=True)
        if owner:
            shutil.chown(full, owner, owner)
        return full

    def fill(self, template, path, **words):
        """Copies a template, each @word@ in it replaced; returns the path."""
        with open(f'{self.templates}/{template}', encoding='utf-8') as file:
            text = file.read()
        for word, value in words.items():
            text = text.replace(f'@{word}@', str(value))
        full = f'{self.directory}/{path}'
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text)
        return full


def check_programs():
    """A Failure when a program of another package, that a lab runs, is missing."""
    for name in ('ip', 'nsenter', 'ethtool', 'sysctl', 'nginx', 'gunicorn', 'mariadbd', 'mariadb-install-db'):
        if not shutil.which(name, path='/usr/sbin:/usr/bin:/sbin:/bin'):
            raise Failure(f'{name} is not installed: run `sudo tools/setup` first')


def all_services(files, forward, engine, build_dir=None):
    """Every service in an order in which they may be started; the appliance only with a build directory."""
    services = [database(files, 'db1'), *(app(files, name) for name in ('app1', 'app2')),
                *(web(files, name) for name in ('web1', 'web2'))]
    return services + (appliance(files, 'lb-a', forward, engine, build_dir) if build_dir else [])


def database(files, name):
    home = files.folder(name, 'mysql')
    init = files.fill('mariadb.sql', f'{name}/init.sql')
    conf = files.fill('mariadb.cnf', f'{name}/mariadb.cnf', home=home, init=init)
    install = (f'mariadb-install-db --defaults-file={conf} --user=mysql --skip-test-db '
               '--auth-root-authentication-method=normal >/dev/null')
    start = f'test -d {home}/data/mysql || {install} && exec mariadbd --defaults-file={conf}'
    return Service(name, name, ('sh', '-c', start), 3306)


def app(files, name):
    home = files.folder(name, 'www-data')
    files.fill('app.py', f'{name}/app.py', name=name, database=_ipv4('db1'))
    conf = files.fill('gunicorn.conf.py', f'{name}/gunicorn.conf.py', home=home, port=topology.APP.port)
    return Service(name, name, ('gunicorn', '--config', conf, 'app:answer'), topology.APP.port)


def web(files, name):
    home = files.folder(name)
    files.folder(f'{name}/cache', 'www-data')
    files.folder(f'{name}/www')
    files.fill('index.html', f'{name}/www/index.html', name=name)
    with open(f'{home}/www/blob.bin', 'wb') as file:
        file.write(bytes(i * i % 251 for i in range(BLOB_BYTES)))
    app4, app6 = topology.APP.addresses()
    conf = files.fill('nginx.conf', f'{name}/nginx.conf', name=name, home=home, app4=app4, app6=f'[{app6}]',
                      app_port=topology.APP.port)
    return Service(name, name, ('nginx', '-e', 'stderr', '-p', home, '-c', conf), topology.WEB.port)


def decap_commands(site, directory, build_dir):
    """(host, argv): what each web server needs before it can take tunnels. Its answers leave by front, so the
    MSS is made smaller there."""
    peers = [word for name in ('lb-a', 'lb-b') for one in site.host(name).addresses(topology.BACK)
             for word in ('--from', str(one.ip))]
    vips = [word for vip in topology.WEB.addresses() for word in ('--vip', str(vip))]
    return [(name, [f'{build_dir}/apps/tandem-decap/tandem-decap', net.name, '--run-dir',
                    f'{directory}/{name}/decap', *peers, *vips])
            for name in ('web1', 'web2') for net in site.host(name).networks]


def appliance(files, host, forward, engine, build_dir):
    run_dir, state_dir = files.folder(f'{host}/run'), files.folder(f'{host}/state')
    conf = files.fill('tandem.conf', f'{host}/tandem.conf', web=forward, engine=engine)
    words = ('-c', conf, '--run-dir', run_dir)
    services = [Service('tandemd', host, (f'{build_dir}/apps/tandemd/tandemd', *words, '--state-dir', state_dir))]
    if engine == 'dpdk':
        argv = (f'{build_dir}/apps/tandem-dpdk/tandem-dpdk', *words)
        services.insert(0, Service('tandem-dpdk', host, argv, socket=f'{run_dir}/dpdk/socket'))
    return services


def _ipv4(name):
    return topology.SITE.host(name).addresses(topology.BACK)[0].ip

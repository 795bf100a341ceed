# SPDX-License-Identifier: BSD-2-Clause
"""One lab: brought up, looked at, taken down. What it owns is below its directory in /run, in namespaces
whose names start with its prefix, and in processes inside them."""
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
from dataclasses import asdict, dataclass

from lablib import jsonfile, service, topology, wiring
from lablib.appliance import Appliance
from lablib.failure import Failure, unknown
from lablib.process import MARK, Processes, end_of_log, wait_until

ENGINES = ('xdp', 'dpdk')

START_S = 30.0  # for a service to listen
LOCKED_S = 2.0  # for the lock: a child of a command that was killed holds it until it has become its program
HEALTHY_S = 30.0  # for every server to be up


def default_id(root):
    """The same for every call from one checkout, another for another checkout."""
    return hashlib.sha256(os.path.realpath(root).encode()).hexdigest()[:6]


@dataclass(frozen=True)
class Wanted:
    """What a lab is brought up with."""
    tandem: bool = True  # whether there is an appliance
    web: str = topology.FORWARDS[0]  # how packets get to the web servers
    engine: str = ENGINES[0]  # what forwards them


class Lab:
    def __init__(self, root, lab_id=None, build_dir=None):
        self.id = lab_id or default_id(root)
        if not re.fullmatch('[a-z0-9]{1,12}', self.id):
            raise Failure(f'a lab\'s id is up to 12 of the characters a-z and 0-9, not "{self.id}"', 2)
        self.root = root
        self.prefix = f'tandem-{self.id}'
        self.directory = f'/run/tandem-lab-{self.id}'
        self.site = topology.site((self.settings() or {}).get('web', topology.FORWARDS[0]))
        self.build_dir = os.path.abspath(build_dir or (self.settings() or {}).get('build') or f'{root}/build')
        self.processes = Processes(self.id, self.prefix, self.directory)
        self.appliance = Appliance(f'{self.build_dir}/apps/tandemctl/tandemctl',
                                   f'{self.directory}/lb-a/run/api.sock')

    # -- up

    def up(self, wanted, say=lambda sentence: None):
        """Brings the lab up as wanted; takes it down again when that fails half way. False: it was up already."""
        service.check_programs()
        if wanted.tandem:
            self._check_build(wanted.engine)
        with self._locked():
            if self._is_whole(wanted):
                return False
            self._clear()
            self.site = topology.site(wanted.web)
            try:
                self._make(wanted, say)
            except BaseException:
                self._remove()
                raise
        return True

    def _check_build(self, engine):
        programs = ['tandemd', 'tandemctl', 'tandem-decap'] + (['tandem-dpdk'] if engine == 'dpdk' else [])
        for path in [f'apps/{name}/{name}' for name in programs] + ['bpf/pass.bpf.o']:
            if not os.path.exists(f'{self.build_dir}/{path}'):
                raise Failure(f'{self.build_dir}/{path} is not there: build it with `tools/setup --build`, or '
                              'bring the lab up without an appliance by --no-tandem')

    def _make(self, wanted, say):
        for name in ('processes', 'logs'):
            os.makedirs(f'{self.directory}/{name}', exist_ok=True)
        pass_object = f'{self.build_dir}/bpf/pass.bpf.o'
        wiring.build(self.site, self.prefix, pass_object if os.path.exists(pass_object) else None)
        say(f'{len(self.site.hosts)} hosts on the networks {", ".join(net.name for net in self.site.networks)}')
        for one in service.all_services(service.Files(self.root, self.directory), wanted.web, wanted.engine,
                                        self.build_dir if wanted.tandem else None):
            record = self.processes.start(one.name, one.host, one.argv, one.port, one.socket)
            if one.socket:
                self._await_listening(record)
        if wanted.tandem and wanted.web == 'tunnel':
            for host, argv in service.decap_commands(self.site, self.directory, self.build_dir):
                wiring.run(wiring.enter(wiring.namespace(self.prefix, host), argv))
        for record in self.processes.records():
            self._await_listening(record)
        say(', '.join(record.name for record in self.processes.records()) + ' run')
        if wanted.tandem:
            self._await_healthy()
            say('every server is up')
            self._await_answers()
            say(f'the client gets answers from {" and ".join(self._pages())}')
        jsonfile.write(self._settings_file(), self._settings(wanted))

    def _settings(self, wanted):
        return {'id': self.id, 'root': self.root, 'build': self.build_dir, **asdict(wanted)}

    def _await_listening(self, record):
        where = f'at {record.socket}' if record.socket else f'on port {record.port}'
        self._await(record, lambda: self.processes.listens(record), START_S,
                    lambda: f'{record.name} does not listen {where}')

    def _await_healthy(self):
        self._await(self.processes.record('tandemd'), self.appliance.is_healthy, HEALTHY_S,
                    lambda: f'not every server is up ({self.appliance.complaint()})', every_s=0.1)

    def _await_answers(self):
        """The whole way, once in each family: client, appliance, web server, appliance, app server."""
        for page in self._pages():
            command = wiring.enter(wiring.namespace(self.prefix, 'client'), ['curl', '-sfm', '5', page])
            self._await(self.processes.record('tandemd'), lambda: wiring.succeeds(command), HEALTHY_S,
                        lambda: f'the client gets no answer from {page}', every_s=0.1)

    def _pages(self):
        return [f'http://{address if address.version == 4 else f"[{address}]"}/app/whoami'
                for vip in self.site.vips if vip.name == 'web' for address in vip.addresses()]

    def _await(self, record, is_so, patience_s, complaint, every_s=0.02):
        """Waits until it is so, or the process has ended; then a Failure shows its log."""
        wait_until(lambda: is_so() or not self.processes.alive(record), patience_s, every_s)
        if not self.processes.alive(record):
            raise Failure(f'{record.name} ended while it started; {end_of_log(record)}')
        if not is_so():
            raise Failure(f'{complaint()} after {patience_s:g} s; {end_of_log(record)}')

    def _is_whole(self, wanted):
        return self.settings() == self._settings(wanted) and \
            all(self.processes.alive(record) for record in self.processes.records())

    # -- down

    def down(self):
        """Removes all that there is, from whatever state. Returns {pid: name} of processes that somebody else
        put into the lab's namespaces, and that were left alone; None when there was nothing."""
        if not os.path.isdir(self.directory) and not wiring.namespaces(self.prefix):
            return None
        with self._locked():
            return self._remove()

    def _remove(self):
        strangers = self._clear()
        os.rmdir(self.directory)
        return strangers

    def _clear(self):
        """Leaves nothing but the empty directory, which is the lock. From the first step on it is not up."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._settings_file())
        self.processes.end_all()
        strangers = self.processes.strangers()
        wiring.destroy(self.prefix)
        for mount in _mounts_below(self.directory):
            wiring.run(['umount', mount])
        for entry in os.scandir(self.directory):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        return strangers

    @contextlib.contextmanager
    def _locked(self):
        """One command at a time changes a lab. The lock is on the directory itself, and goes with it."""
        os.makedirs(self.directory, exist_ok=True)
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if not wait_until(lambda: _lock(handle), LOCKED_S) or not _is_at(handle, self.directory):
                raise Failure(f'another command is just changing the lab {self.id}: try again when it is done')
            yield
        finally:
            os.close(handle)

    # -- in between

    def settings(self):
        """What the lab was brought up with; None when it is not up."""
        return jsonfile.read(self._settings_file())

    def _settings_file(self):
        return f'{self.directory}/lab.json'

    def require_up(self):
        settings = self.settings()
        if settings is None:
            raise Failure(f'the lab {self.id} is not up: `sudo tools/lab up` brings it up')
        return settings

    def record(self, name):
        """The record of a process that the lab runs."""
        self.require_up()
        records = {record.name: record for record in self.processes.records()}
        if name not in records:
            raise unknown('process', name, list(records))
        return records[name]

    def restart(self, name):
        """Starts a process that ended, with the files that it had, and waits until it listens."""
        record = self.record(name)
        if self.processes.alive(record):
            raise Failure(f'{name} runs already, as process {record.pid}')
        self._await_listening(self.processes.start(name, record.host, record.argv, record.port, record.socket))

    def enter(self, host, argv):
        """Becomes argv on a host."""
        self.require_up()
        if host not in (known := self.site.host_names() + [wiring.SWITCH]):
            raise unknown('host', host, known)
        environment = {**os.environ, MARK: self.id, 'TANDEM_SOCKET': self.appliance.socket,
                       'PATH': f'{os.path.dirname(self.appliance.program)}:{os.environ.get("PATH", os.defpath)}'}
        command = wiring.enter(wiring.namespace(self.prefix, host), argv)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and what it becomes would too
        os.execvpe(command[0], command, environment)

    def run_load(self, name, samples, options=()):
        """Starts the load generator on the client; its samples go to a file. Returns its record."""
        argv = ['/usr/bin/python3', f'{self.root}/tools/lablib/load.py', '--samples', samples, *options]
        return self.processes.start(name, 'client', argv)


def _lock(handle):
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(handle, path):
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _mounts_below(directory):
    """Mount points below a directory, the deepest first."""
    with open('/proc/self/mountinfo', encoding='utf-8') as file:
        points = [line.split()[4] for line in file]
    return sorted((point for point in points if point.startswith(directory + '/')), key=len, reverse=True)

# SPDX-License-Identifier: BSD-2-Clause
"""Processes of a lab: started with a record, found again by it, and ended only when known to be ours.

A process is the lab's when it is in one of the lab's namespaces, and either is in the session of a
recorded process, or carries the lab's mark in its environment. The record is written by the new process
itself before it becomes the program, and so there is none without; it holds the start time, by which a
process id that was given again is told apart.
"""
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass

from lablib import jsonfile, wiring
from lablib.failure import Failure

MARK = 'TANDEM_LAB'  # environment variable that holds the lab's id
BOOT_ID = '/proc/sys/kernel/random/boot_id'
ACCEPTS = 1 << 16  # flag of a Unix socket that listens (__SO_ACCEPTCON)


@dataclass(frozen=True)
class Record:
    name: str
    host: str
    pid: int
    started: int  # clock ticks after boot
    boot: str
    log: str
    argv: list
    port: int  # TCP port by which one knows that it runs; 0: none
    socket: str = ''  # and the Unix socket


@dataclass(frozen=True)
class Stat:
    """The part of /proc/PID/stat that tells processes apart."""
    parent: int
    session: int
    started: int
    dead: bool  # a zombie: only its parent's wait() is missing


def _read(path):
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


def stat(pid):
    """None when there is no such process."""
    try:
        fields = _read(f'/proc/{pid}/stat').rpartition(')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Stat(parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]), dead=fields[0] in 'ZX')


class Processes:
    """The processes of one lab."""

    def __init__(self, lab_id, prefix, directory):
        self.lab_id = lab_id
        self.prefix = prefix
        self.directory = f'{directory}/processes'
        self.logs = f'{directory}/logs'

    def start(self, name, host, argv, port=0, socket=''):
        """Starts argv on a host, in a session of its own; its output goes to its log."""
        log = f'{self.logs}/{name}.log'
        command = wiring.enter(wiring.namespace(self.prefix, host), argv)
        with open(log, 'ab') as output:
            # pylint: disable=subprocess-popen-preexec-fn  (there are no threads here)
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                             env=self.environment(), start_new_session=True,
                             preexec_fn=lambda: self._record(name, host, argv, port, socket, log))
        return self.record(name)

    def environment(self):
        """What a process of the lab gets of the caller's environment: nothing that would steer it."""
        return {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C.UTF-8',
                MARK: self.lab_id}

    def _record(self, name, host, argv, port, socket, log):
        pid = os.getpid()
        record = Record(name, host, pid, stat(pid).started, _read(BOOT_ID).strip(), log, list(argv), port,
                        socket)
        jsonfile.write(f'{self.directory}/{name}.json', asdict(record))

    def record(self, name):
        return Record(**jsonfile.read(f'{self.directory}/{name}.json'))

    def records(self):
        try:
            names = sorted(os.listdir(self.directory))
        except FileNotFoundError:
            return []
        return [self.record(name[:-len('.json')]) for name in names if name.endswith('.json')]

    def alive(self, record):
        seen = stat(record.pid)
        return bool(seen and not seen.dead and self._same(record, seen))

    @staticmethod
    def _same(record, seen):
        return seen.started == record.started and record.boot == _read(BOOT_ID).strip()

    def _membership(self, records=None):
        """A function that says of a process id whether it is one of the given records' sessions; None: whether
        the lab made it."""
        chosen = self.records() if records is None else records
        leaders = {record.pid: record for record in chosen}
        inside = wiring.inodes(self.prefix)

        def is_member(pid):
            seen = stat(pid)
            if not seen or seen.dead:
                return False
            if pid in leaders and self._same(leaders[pid], seen):
                return True
            # While a session has members, its number is not given to another process.
            leader = leaders.get(seen.session)
            known = leader and self._leads(leader)
            return _is_in(pid, inside) and (known or (records is None and self._is_marked(pid)))

        return is_member

    def members(self, records=None):
        return list(filter(self._membership(records), _all_pids()))

    def strangers(self):
        """{pid: name} of processes in the lab's namespaces that the lab did not make."""
        inside, ours = wiring.inodes(self.prefix), set(self.members())
        return {pid: _name(pid) for pid in _all_pids() if pid not in ours and _is_in(pid, inside)}

    def _leads(self, record):
        """Whether the number is still that of the recorded session, with or without its first process."""
        seen = stat(record.pid)
        return seen is None or self._same(record, seen)

    def _is_marked(self, pid):
        try:
            environment = _read(f'/proc/{pid}/environ').split('\0')
        except OSError:
            return False
        return f'{MARK}={self.lab_id}' in environment

    def kill(self, record, number=signal.SIGKILL):
        """Sends a signal to a process and all that it started."""
        is_member = self._membership([record])
        for pid in _all_pids():
            _signal(pid, number, is_member)

    def stop(self, record, patience_s=15.0):
        """Asks a process to end, and waits until it and all that it started have."""
        self.kill(record, signal.SIGTERM)
        if not wait_until(lambda: not self.members([record]), patience_s):
            raise Failure(f'{record.name} (process {record.pid}) does not end within {patience_s:g} s')

    def end_all(self, patience_s=3.0):
        """Ends what the lab made, but not a shell of the lab from which this very command was run."""
        above = _ancestors(os.getpid())
        for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 2.0)):
            is_member = self._membership()
            for pid in set(_all_pids()) - above:
                _signal(pid, number, is_member)
            if wait_until(lambda: not set(self.members()) - above, wait_s, every_s=0.05):
                return
        raise Failure(f'process {min(set(self.members()) - above)} does not end, even after SIGKILL')

    def listens(self, record):
        """Whether somebody listens, in the process' network, on what it is known by."""
        return (not record.port or self._listens_on_port(record)) and \
            (not record.socket or self._listens_on_socket(record))

    @staticmethod
    def _listens_on_port(record):
        return any(len(row) > 3 and row[3] == '0A' and row[1].endswith(f':{record.port:04X}')
                   for row in _table(record, 'tcp') + _table(record, 'tcp6'))

    @staticmethod
    def _listens_on_socket(record):
        return any(len(row) > 7 and int(row[3], 16) & ACCEPTS and row[7] == record.socket
                   for row in _table(record, 'unix')[1:])


def _table(record, name):
    """Rows of a table of sockets, of the process' network; none when it has ended."""
    try:
        return [line.split() for line in _read(f'/proc/{record.pid}/net/{name}').splitlines()]
    except OSError:
        return []


def wait_until(is_so, patience_s, every_s=0.02):
    """Polls; False when it did not come true in time. Reaps children on the way."""
    deadline = time.monotonic() + patience_s
    while True:
        reap()
        if is_so():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)


def reap():
    """Children of this process that ended are not left behind as zombies."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def end_of_log(record, lines=5):
    """A clause for an error message."""
    try:
        last = _read(record.log).splitlines()[-lines:]
    except OSError:
        last = []
    if not last:
        return f'the log of {record.name} is empty'
    return '\n  '.join([f'the log of {record.name} ends with:', *last])


def _all_pids():
    return [int(name) for name in os.listdir('/proc') if name.isdigit()]


def _is_in(pid, inodes):
    try:
        seen = os.stat(f'/proc/{pid}/ns/net').st_ino
    except OSError:
        return False
    return seen in inodes


def _name(pid):
    try:
        return _read(f'/proc/{pid}/comm').strip()
    except OSError:
        return '?'


def _ancestors(pid):
    out = {pid}
    while (seen := stat(pid)) and seen.parent:
        pid = seen.parent
        out.add(pid)
    return out


def _signal(pid, number, is_member):
    """By a handle on the process, taken before it is judged, so that no other process is ever met."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if is_member(pid):
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)

# SPDX-License-Identifier: BSD-2-Clause
"""The lab's application: a visitors' book in the database, read and written by both app servers."""
import json
import threading
import uuid

import pymysql

NAME = '@name@'
DATABASE = {'host': '@database@', 'user': 'lab', 'password': 'lab', 'database': 'lab', 'connect_timeout': 2,
            'read_timeout': 2, 'write_timeout': 2, 'autocommit': False}
KEY_BYTES = 64  # as in mariadb.sql

_thread = threading.local()


def database():
    """This thread's connection, made anew when it was lost."""
    if not hasattr(_thread, 'connection'):
        _thread.connection = pymysql.connect(**DATABASE)
    _thread.connection.ping(reconnect=True)
    return _thread.connection


def count_visits(cursor):
    cursor.execute('SELECT visits FROM book')
    return cursor.fetchone()[0]


def read_visits():
    connection = database()
    with connection.cursor() as cursor:
        visits = count_visits(cursor)
    connection.rollback()
    return visits


def add_visit(key):
    """Counts a visit once, however often it is asked for with the same key."""
    connection = database()
    with connection.cursor() as cursor:
        new = cursor.execute('INSERT IGNORE INTO visit (id, app) VALUES (%s, %s)', (key, NAME))
        if new:
            cursor.execute('UPDATE book SET visits = visits + 1')
        visits = count_visits(cursor)
    connection.commit()
    return visits


def visits_page(method, key):
    """(status, object)"""
    if method == 'GET' and not key:
        return '200 OK', {'visits': read_visits()}
    if method == 'POST' and not key:
        return '200 OK', {'visits': add_visit(uuid.uuid4().hex)}
    if method == 'PUT' and 0 < len(key) <= KEY_BYTES:
        return '200 OK', {'visits': add_visit(key)}
    return '405 Method Not Allowed', {'error': 'GET or POST /app/visits, or PUT /app/visits/KEY'}


def page(method, path):
    """(status, seconds for which the answer may be kept, object)"""
    if path == '/app/healthz':  # of this server alone: a lost database must not take all app servers away
        return '200 OK', 0, {'ok': True}
    if path == '/app/whoami':
        return '200 OK', 0, {}
    if path == '/app/news':
        return '200 OK', 1, {'news': 'none'}
    noun, _, key = path.removeprefix('/app/').partition('/')
    if noun != 'visits':
        return '404 Not Found', 0, {'error': 'no such page'}
    try:
        status, value = visits_page(method, key)
    except pymysql.Error as why:
        return '503 Service Unavailable', 0, {'error': f'the database does not answer: {why}'}
    return status, 0, value


def answer(environ, start_response):
    """The WSGI entry."""
    status, keep_s, value = page(environ['REQUEST_METHOD'], environ['PATH_INFO'])
    body = json.dumps({'app': NAME, **value}).encode() + b'\n'
    start_response(status, [
        ('Content-Type', 'application/json'), ('Content-Length', str(len(body))), ('X-App', NAME),
        ('Cache-Control', f'max-age={keep_s}' if keep_s else 'no-store')])
    return [body]

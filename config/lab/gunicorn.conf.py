# SPDX-License-Identifier: BSD-2-Clause
"""gunicorn on an app server of the lab."""
# pylint: disable=invalid-name  (gunicorn reads settings by these names)
bind = '[::]:@port@'  # IPv4 too, mapped
chdir = '@home@'
user = 'www-data'
group = 'www-data'
workers = 1
worker_class = 'gthread'
threads = 8
worker_tmp_dir = '@home@'
graceful_timeout = 1  # seconds

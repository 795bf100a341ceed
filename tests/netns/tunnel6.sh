#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tunnel.sh over IPv6.
NAME=tunnel6 FAMILY=6 exec "$(dirname "$0")/tunnel.sh"

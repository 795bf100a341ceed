#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# path_mtu.sh over IPv6.
NAME=path_mtu6 FAMILY=6 exec "$(dirname "$0")/path_mtu.sh"

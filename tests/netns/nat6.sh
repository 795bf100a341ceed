#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nat.sh over IPv6.
NAME=nat6 FAMILY=6 exec "$(dirname "$0")/nat.sh"

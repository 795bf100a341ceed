#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# local.sh over IPv6.
NAME=local6 FAMILY=6 exec "$(dirname "$0")/local.sh"

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# neighbours.sh over IPv6.
NAME=neighbours6 FAMILY=6 exec "$(dirname "$0")/neighbours.sh"

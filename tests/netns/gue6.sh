#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# gue.sh over IPv6.
NAME=gue6 FAMILY=6 exec "$(dirname "$0")/gue.sh"

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cross.sh over IPv6.
NAME=cross6 FAMILY=6 exec "$(dirname "$0")/cross.sh"

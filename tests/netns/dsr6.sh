#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dsr.sh over IPv6.
NAME=dsr6 FAMILY=6 exec "$(dirname "$0")/dsr.sh"

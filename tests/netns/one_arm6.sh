#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# one_arm.sh over IPv6.
NAME=one_arm6 FAMILY=6 exec "$(dirname "$0")/one_arm.sh"

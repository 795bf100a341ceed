#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# syn_cookies_local.sh over IPv6.
NAME=syn_cookies_local6 FAMILY=6 exec "$(dirname "$0")/syn_cookies_local.sh"

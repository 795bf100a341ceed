#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# GUE tunnels (FAMILY=4 or 6) to servers of either family: IP in UDP, each flow from a port of its own.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/cross_helper.sh"

case $family in
4) room=28 ;;
6) room=48 ;;
esac
service 'encapsulation = "gue";' "$srv1" "$srv2"
tandemd_start
serving 2
for n in 1 2; do
	decap "srv$n" --from "$(addr back 2)" --from "$(addr back 2 "$other")" --vip "$vip" --gue 6090 --mss 9000
done
capture tunnels switch lb.back "udp dst port 6090"
expect_is "what servers see" "$(who "$site")" "srv1 $(addr front 99) $vip"$'\n'"srv2 $(addr front 99) $vip"
stop tunnels INT
expect_is "where tunnels come from" "$(captured tunnels -q | awk '{ sub(/[.][0-9]+$/, "", $3); print $3 }' | sort -u)" \
	"$(printf '%s\n' "$(addr back 2)" "$(addr back 2 "$other")" | sort)"
ports=$(captured tunnels -q | awk '{ sub(/.*[.]/, "", $3); print $3 }' | sort -nu)
expect "flows have ports of their own" [ "$(wc -l <<<"$ports")" -ge 20 ]
expect "ports are from 49152 on" [ "$(head -n 1 <<<"$ports")" -ge 49152 ]

# With segments that do not fit: the client is told.
service 'encapsulation = "gue";' "$srv1"
ctl config apply >"$lab/apply"
upload "by path MTU discovery"
expect "the client was told the MTU" [ "$(verdicts too_big_answered)" -ge 1 ]
expect_is "the MTU that the client keeps" \
	"$(ip -n "$prefix-client" route get "$vip" | grep -oE 'mtu [0-9]+')" "mtu $((1500 - room))"
expect_is "what the API says" "$(ask .encapsulation pool show web)" gue

# By the MSS that the server offers, whose answers leave by the other interface.
on srv1 "$build/apps/tandem-decap/tandem-decap" front --run-dir "$lab/srv1-decap" \
	--from "$(addr back 2)" --vip "$vip" --gue 6090
ip -n "$prefix-client" "-$family" route flush cache
told=$(verdicts too_big_answered)
upload "by a smaller MSS"
expect_is "packets that were too big" "$(verdicts too_big_answered)" "$told"
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0

# To another port nobody listens.
decap srv1 --from "$(addr back 2)" --vip "$vip" --gue 6091
expect_not "answers come by another port" on client curl -s -m 1 "$site/who"

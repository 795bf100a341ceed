#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tunnels whose outside is of another family than the VIP (FAMILY=4 or 6): a pool with servers of both.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/cross_helper.sh"

case $family in
4) inside=4 outer=ip6 room=40 ;;
6) inside=41 outer=ip room=20 ;;
esac
service "" "$srv1" "$srv2"
tandemd_start
serving 2
for n in 1 2; do
	decap "srv$n" --from "$(addr back 2)" --from "$(addr back 2 "$other")" --vip "$vip" --mss 9000
done
expect_is "what servers see" "$(who "$site")" "srv1 $(addr front 99) $vip"$'\n'"srv2 $(addr front 99) $vip"

# Alone, with segments that do not fit: the client is told, in its own family.
service "" "$srv2"
ctl config apply >"$lab/apply"
capture tunnels switch lb.back "$outer proto $inside"
upload "in the other family"
stop tunnels INT
expect_is "where tunnels come from" \
	"$(captured tunnels -q | awk '{ print $3 }' | sort -u)" "$(addr back 2 "$other")"
expect "the client was told the MTU" [ "$(verdicts too_big_answered)" -ge 1 ]
expect_is "the MTU that the client keeps" \
	"$(ip -n "$prefix-client" route get "$vip" | grep -oE 'mtu [0-9]+')" "mtu $((1500 - room))"

# By the MSS that the server offers, whose answers leave by the other interface.
on srv2 "$build/apps/tandem-decap/tandem-decap" front --run-dir "$lab/srv2-decap" \
	--from "$(addr back 2 "$other")" --vip "$vip"
ip -n "$prefix-client" "-$family" route flush cache
told=$(verdicts too_big_answered)
upload "by a smaller MSS"
expect_is "packets that were too big" "$(verdicts too_big_answered)" "$told"
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tunnels whose outside is of another family than the VIP (FAMILY=4 or 6): a pool with servers of both.
#
#   front ═╤══════════╤══════════╤════════╤═══   VIP .10: clients' packets in, servers' answers out
#     client .99    lb .2     srv1 .21  srv2 .22
#   back  ════════════╧══════════╧════════╧═══   tunnels to .11 of the VIP's family, to .12 of the other; MTU 1500
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

net front back
host client
plug client front 99
host lb
plug lb front 2
plug lb back 2
vip=$(addr front 10)
case $family in
4) other=6 inside=4 outer=ip6 room=40 ;;
6) other=4 inside=41 outer=ip room=20 ;;
esac
for n in 1 2; do
	host "srv$n"
	plug "srv$n" front "2$n"
	plug "srv$n" back "1$n"
	silent "srv$n" front 10
	serve "srv$n" 80
done

# decap HOST OPTION...
decap()
{
	on "$1" "$build/apps/tandem-decap/tandem-decap" back --run-dir "$lab/$1-decap" "${@:2}"
}

# The service, with the servers given: service SERVER...
service()
{
	config <<-END
		vips: { web: { address = "$vip"; interface = "front"; }; };
		health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 1; }; };
		pools: { web: { health = "web"; servers: { $* }; }; };
		services: { web: { vip = "web"; port = 80; forward = "tunnel"; pool = "web"; }; };
	END
}

site=http://$(url front 10)
head -c 5000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)
upload()
{
	expect_is "SHA-256 of the upload $1" "$(on client curl -sS -m 60 -T "$lab/blob" "$site/")" "$sum"
}

srv1="srv1: { address = \"$(addr back 11)\"; };"
srv2="srv2: { address = \"$(addr back 12 "$other")\"; };"
service "$srv1" "$srv2"
tandemd_start
serving 2
for n in 1 2; do
	decap "srv$n" --from "$(addr back 2)" --from "$(addr back 2 "$other")" --vip "$vip" --mss 9000
done
expect_is "what servers see" "$(who "$site")" "srv1 $(addr front 99) $vip"$'\n'"srv2 $(addr front 99) $vip"

# Alone, with segments that do not fit: the client is told, in its own family.
service "$srv2"
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

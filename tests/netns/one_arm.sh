#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# All on one interface: two networks, VIPs of both, services by nat and dsr whose packets leave where they came in.
#
#   front ═╤════════════╤══════════════╤═══════════════╤═══
#        client         lb            srv1            srv2
#   net   .99           .2            .11             .12         VIPs .10 (nat), .20 (dsr)
#   other               .2, gateway .1 .11            .12         VIP .10 (dsr)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

net front
networks[other]=7

# Addresses of the second network on the same wire: second HOST N
second()
{
	ip -n "$prefix-$1" addr add "$(addr other "$2" 4)/24" dev front
	ip -n "$prefix-$1" addr add "$(addr other "$2" 6)/64" dev front nodad
}

host client
plug client front 99
gateway client front 2
host lb
plug lb front 2
second lb 2
for n in 1 2; do
	host "srv$n"
	plug "srv$n" front
	second "srv$n" "1$n"
	gateway "srv$n" other 1
	silent "srv$n" front 20
	silent "srv$n" other 10
	for vip in "$(addr front 20)" "$(addr other 10)"; do # what they answer as a VIP goes straight to the client
		ip -n "$prefix-srv$n" "-$family" rule add from "$vip" table 100
	done
	ip -n "$prefix-srv$n" "-$family" route add "$(addr front 99)" dev front table 100
	serve "srv$n" 8080
done

part()
{
	cat <<-END
		vips: { web$1: { address = "$(addr front 10 "$1")"; interface = "front"; };
			raw$1: { address = "$(addr front 20 "$1")"; interface = "front"; };
			more$1: { address = "$(addr other 10 "$1")"; interface = "front"; }; };
		gateways: { other$1: { address = "$(addr other 1 "$1")"; interface = "front"; }; };
		pools: {
			web$1: { health = "web"; servers: { srv1: { address = "$(addr other 11 "$1")"; port = 8080; };
				srv2: { address = "$(addr other 12 "$1")"; port = 8080; }; }; };
			raw$1: { health = "web"; servers: { srv1: { address = "$(addr other 11 "$1")"; };
				srv2: { address = "$(addr other 12 "$1")"; }; }; };
		};
		services: {
			web$1: { vip = "web$1"; port = 80; forward = "nat"; pool = "web$1"; };
			raw$1: { vip = "raw$1"; port = 8080; forward = "dsr"; pool = "raw$1"; };
			more$1: { vip = "more$1"; port = 8080; forward = "dsr"; pool = "raw$1"; };
		};
	END
}

head -c 5000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)
{
	echo 'node = "lb"; interfaces: { front: {}; };'
	echo 'health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 1; fall = 50; }; };'
	part "$family"
} >"$lab/tandem.conf"
tandemd_start
serving 4

# try URL VIP'S-PORT
try()
{
	for _ in $(seq 32); do
		on client curl -sS -m 5 "$1/who"
	done | cut -d ' ' -f 1,2 | sort -u >"$lab/answers"
	expect_is "who answers $1" "$(cat "$lab/answers")" \
		"srv1 $(addr front 99)"$'\n'"srv2 $(addr front 99)"
	expect_is "SHA-256 of the download" "$(on client curl -sS -m 30 "$1/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
	expect_is "SHA-256 of the upload" "$(on client curl -sS -m 30 -T "$lab/blob" "$1/")" "$sum"
}

try "http://$(url front 10)"
try "http://$(url front 20):8080"
try "http://$(url other 10):8080"
for vip in "$(addr front 10)" "$(addr front 20)" "$(addr other 10)"; do
	expect "the VIP $vip answers pings" on client ping -q -c 2 -i 0.1 "$vip" >"$lab/ping"
done
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0
expect_is "drops" "$(ask '[.drops[] | select(.action == "drop" and .reason != "no_neighbour")]' drops)" '[]'

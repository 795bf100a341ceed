#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A nat service: small requests, 50 MB each way, and what either side sees of it (FAMILY=4 or 6).
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
serve srv1 8080
serve srv2 8080
config <<-END
	vips: { web: { address = "$(addr front 10)"; interface = "front"; }; };
	gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
	health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 1; fall = 50; }; };
	pools: { web: { health = "web"; servers: {
		srv1: { address = "$(addr back 11)"; port = 8080; };
		srv2: { address = "$(addr back 12)"; port = 8080; };
	}; }; };
	services: { web: { vip = "web"; port = 80; forward = "nat"; pool = "web"; }; };
END
tandemd_start
serving 2
site=http://$(url front 10)

# Small requests, on new connections, reach both servers; each sees the client and itself.
capture client client front "port 80"
capture server srv1 back "port 8080 and host $(addr front 99)"
for _ in $(seq 40); do
	on client curl -sS -m 3 "$site/who"
done >"$lab/answers"
expect_is "what servers see" "$(sort -u "$lab/answers")" "$(
	for n in 1 2; do
		echo "srv$n $(addr front 99) $(addr back "1$n")"
	done
)"
stop client INT
stop server INT

# The client talks to the VIP and nobody else, the server to the client; both see good checksums, and the server
# sees that a hop has passed.
expect_is "packets of others at the client" "$(captured client "not host $(addr front 10)" | wc -l)" 0
expect_is "packets of others at the server" "$(captured server "not host $(addr front 99)" | wc -l)" 0
for log in client server; do
	expect "$log has captured" [ "$(captured "$log" | wc -l)" -ge 80 ]
	expect_is "a bad checksum at $log" "$(captured "$log" -vv | grep -m 1 -E 'incorrect|bad (hdr |udp )?cksum' || :)" ""
done
expect_is "hop limits at the server" "$(captured server -v "src host $(addr front 99)" |
	grep -oE 'ttl [0-9]+|hlim [0-9]+' | sort -u | grep -oE '[0-9]+')" 63

# 50 MB each way arrive as they were sent.
head -c 50000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)
expect_is "SHA-256 of the download" "$(on client curl -sS -m 60 "$site/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
expect_is "SHA-256 of the upload" "$(on client curl -sS -m 60 -T "$lab/blob" "$site/")" "$sum"
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2 lb)" 0

# Every packet was counted, for its service and for one of the servers; nothing was dropped.
expect "the upload was counted" holds '.services[0] | .bytes > 50e6 and .packets > 50e6 / 1500' service list
expect "servers' counts make up the service's" test "$(ask '[.pools[0].servers[].packets] | add' pool list)" = \
	"$(ask '.services[0].packets' service list)"
expect "both servers have counts" holds '[.pools[0].servers[].packets > 0] | all' pool list
expect_is "drops" "$(ask '[.drops[] | select(.action == "drop" and .reason != "no_neighbour")]' drops)" '[]'

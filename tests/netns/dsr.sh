#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dsr services, one-armed and two-armed: servers own the VIPs and answer directly (FAMILY=4 or 6).
#
#   front ═╤══════════╤══════════╤════════╤═══   one-armed VIP .10: in and out by `front`, to srv1 and srv2
#     client .99    lb .2     srv1 .21  srv2 .22
#   back  ════════════╧══════════╧════════╧═══   two-armed VIP .20: in by `front`, out by `back` to .11 and .12
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

net front back
host client
plug client front 99
host lb
plug lb front 2
plug lb back 2
for n in 1 2; do
	host "srv$n"
	plug "srv$n" front "2$n"
	plug "srv$n" back "1$n"
	silent "srv$n" front 10
	silent "srv$n" front 20
	serve "srv$n" 80
done
config <<-END
	vips: {
		one: { address = "$(addr front 10)"; interface = "front"; };
		two: { address = "$(addr front 20)"; interface = "front"; };
	};
	health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 1; fall = 50; }; };
	pools: {
		one: { health = "web"; servers: {
			srv1: { address = "$(addr front 21)"; };
			srv2: { address = "$(addr front 22)"; };
		}; };
		two: { health = "web"; servers: {
			srv1: { address = "$(addr back 11)"; };
			srv2: { address = "$(addr back 12)"; };
		}; };
	};
	services: {
		one: { vip = "one"; port = 80; forward = "dsr"; pool = "one"; };
		two: { vip = "two"; port = 80; forward = "dsr"; pool = "two"; };
	};
END
tandemd_start
serving 4
head -c 50000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)

# try SERVICE NUMBER SRV1'S-INTERFACE
try()
{
	local site answer

	site=http://$(url front "$2")
	capture "$1" srv1 "$3" "port 80 and dst host $(addr front "$2")"
	for _ in $(seq 40); do
		on client curl -sS -m 3 "$site/who"
	done >"$lab/answers"
	stop "$1" INT
	answer="$(addr front 99) $(addr front "$2")"
	expect_is "what servers of $1 see" "$(sort -u "$lab/answers")" "srv1 $answer"$'\n'"srv2 $answer"
	expect "srv1 has got packets by $3" [ "$(captured "$1" | wc -l)" -ge 20 ]
	expect_is "a bad checksum at srv1" "$(captured "$1" -vv | grep -m 1 -E 'incorrect|bad (hdr |udp )?cksum' || :)" ""
	expect_is "hop limits at srv1" "$(captured "$1" -v | grep -oE 'ttl [0-9]+|hlim [0-9]+' | sort -u |
		grep -oE '[0-9]+')" 63
	expect_is "SHA-256 of the download" "$(on client curl -sS -m 60 "$site/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
	expect_is "SHA-256 of the upload" "$(on client curl -sS -m 60 -T "$lab/blob" "$site/")" "$sum"
	# Only what comes from the client passes here.
	expect "$1's upload was counted" holds ".services[] | select(.name == \"$1\") | .bytes > 50e6" service list
	expect "$1's download was not" holds ".services[] | select(.name == \"$1\") | .bytes < 65e6" service list
}

try one 10 front
try two 20 back
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0
expect_is "drops" "$(ask '[.drops[] | select(.action == "drop" and .reason != "no_neighbour")]' drops)" '[]'

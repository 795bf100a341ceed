#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lists of sources, reloaded under load, and rates: the rogue is kept out or held back, and nobody else notices.
#
#   client .99 ─┬─ front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#   rogue  .98 ─┘  VIP .10    gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
host rogue
plug rogue front 98
for n in 1 2; do
	serve "srv$n" 8080
done
list=$lab/deny.txt
rogue=("$(addr front 98 4)" "$(addr front 98 6)/128")
client=("$(addr front 99 4)" "$(addr front 99 6)")
read -ra urls < <(web_urls)

# The lab's configuration with words under guard, and others in each service: guarded WORDS SERVICE-WORDS
guarded()
{
	# A server that is slow to answer its checks is no part of this.
	web 1 2 | sed "s/fall = 2/fall = 50/; s|forward = \"nat\";|& $2|; \$s|\$| limits: { guard_prefixes = 20000; }; guard: { $1 };|" | config
}

# A deny file of many prefixes, with the given ones in the middle.
deny()
{
	{
		awk 'BEGIN { for (i = 0; i < 6000; i++) printf "198.18.%d.%d/32\n2001:db8:%x::/48 # network %d\n", i / 200, i % 200, i, i }'
		printf '%s\n' '# not wanted' "$@" ''
		awk 'BEGIN { for (i = 0; i < 2000; i++) printf "203.0.%d.0/24\n", i % 256 }'
	} >"$list"
}

reload()
{
	ctl config apply >>"$lab/apply"
}

gets()
{
	on rogue curl -s -m 1 -o "$lab/page" "$1"
}

rogue_is_served()
{
	wait_for 5 "the rogue is served at $1" gets "$1"
}

# What a service has dropped as denied: service_drops NAME
service_drops()
{
	ask '.drops.denied // 0' service show "$1"
}

rogue_is_not_served()
{
	expect_not "the rogue is served at $1" gets "$1"
}

deny
guarded "deny_file = \"$list\";" ""
tandemd_start
serving 4
load long client --keep --workers 20 --rate 100 "${urls[@]}"
more long 60
for at in "${urls[@]}"; do
	rogue_is_served "$at"
done

# The file changes again and again: the rogue is out and in with each, connections that are open stay.
for round in 1 2 3 4 5; do
	deny "${rogue[@]}"
	reload
	before=$(verdicts denied)
	rogue_is_not_served "${urls[$((round % 2))]}"
	expect "what was denied is counted" [ "$(verdicts denied)" -gt "$before" ]
	deny
	reload
	rogue_is_served "${urls[$((round % 2))]}"
done
expect "the VIP's drops have the name" holds '[.vips[] | select(.name == "web4") | .drops.denied > 0] | any' vip list

# A service's drops have it too, and go on when the daemon is started anew.
denied=$(service_drops web4)
expect "web4 has dropped some" [ "$denied" -gt 0 ]
expect "the list of drops names the service" holds '[.drops[] | select(.service == "web4" and .vip == "web4" and
	.reason == "denied").count] == ['"$denied"']' drops
stop tandemd
tandemd_start
serving 4
expect_is "drops after a start" "$(service_drops web4)" "$denied"
more long 60

# A file with mistakes changes nothing, and each is told with its line.
deny "${rogue[@]}"
reload
sed -i '1s/.*/198.18.0.0\/99/; 3s/.*/nonsense/' "$list"
status=0
ctl config apply >"$lab/refused" 2>&1 || status=$?
expect_is "exit status of apply" "$status" 1
expect "the first mistake has its line" grep -q "$list:1: \"198.18.0.0/99\" is neither" "$lab/refused"
expect "the second one too" grep -q "$list:3: \"nonsense\" is neither" "$lab/refused"
rogue_is_not_served "${urls[0]}"

# An allow list: these and no others.
guarded "" "allow = [ \"${client[0]}\", \"${client[1]}/64\" ];"
reload
rogue_is_not_served "${urls[0]}"
rogue_is_served "${urls[1]}" # it has an address of the /64
guarded "" "allow = [ \"${client[0]}\", \"${client[1]}\" ];"
reload
rogue_is_not_served "${urls[1]}"
more long 60

# A flood of SYNs is held back, another client is not; afterwards the rogue is served again.
guarded "source_syn_rate = 30;" ""
reload
load short client --rate 20 "${urls[@]}"
for at in 10:4 10:6; do
	on rogue /usr/bin/python3 - "$(addr front "${at%:*}" "${at#*:}")" <<-'END'
		import socket
		import sys
		sockets = [socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET) for _ in range(500)]
		for s in sockets:
		    s.setblocking(False)
		    s.connect_ex((sys.argv[1], 80))
	END
done
expect "most SYNs of the flood are dropped" [ "$(verdicts source_syn_rate)" -ge 700 ]
more short 20
more long 60
wait_for 5 "the rogue is served again" gets "${urls[0]}"

stop short
stop long
expect_is "requests lost" "$(lost short)$(lost long)" ""

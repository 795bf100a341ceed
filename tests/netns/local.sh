#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Services of this host's own stack (FAMILY=4 or 6): tandemd puts their VIP on lo, and takes it away again.
#
#   client .99 ── front ── .2 lb: VIP .10 with tcp 80 (a wildcard socket), tcp 81 (nginx), udp 53; .20, which is the operator's
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

net front back
host client
plug client front 99
host lb
plug lb front 2
plug lb back 2
vip=$(addr front 10) own=$(addr front 20)
case $family in
4) bits=32 ;;
6) bits=128 ;;
esac
ip -n "$prefix-lb" addr add "$own/$bits" dev lo
serve lb 80

# The services, with the last word of the VIP's ones: services [FORWARD...]
services()
{
	config <<-END
		vips: {
			web: { address = "$vip"; interface = "front"; };
			own: { address = "$own"; interface = "front"; };
		};
		pools: { back: { servers: { srv1: { address = "$(addr back 11)"; }; }; }; };
		services: {
			own: { vip = "own"; port = 80; forward = "local"; };
			back: { vip = "own"; port = 81; forward = "dsr"; pool = "back"; };
			$*
		};
	END
}
local_ones="web: { vip = \"web\"; port = 80; forward = \"local\"; };
	nginx: { vip = \"web\"; port = 81; forward = \"local\"; };
	dns: { vip = \"web\"; port = 53; protocol = \"udp\"; forward = \"local\"; };"
others='web: { vip = "web"; port = 80; forward = "dsr"; pool = "back"; };'

has()
{
	on lb ip -o addr show dev lo | grep -F " $1/$bits " >"$lab/has"
}

start_nginx()
{
	cat >"$lab/nginx.conf" <<-END
		daemon off;
		master_process off;
		pid $lab/nginx.pid;
		error_log $lab/nginx.error;
		events {}
		http {
			access_log off;
			server {
				listen $(url front 10):81;
				location / { return 200 "nginx \$remote_addr \$server_addr\n"; }
			}
		}
	END
	start nginx lb nginx -c "$lab/nginx.conf" -e "$lab/nginx.error"
}

packets()
{
	ask '.packets' service show "$1"
}

udp_is_up()
{
	[ "$(on client "$here/ask_udp.py" "$vip" 53 --sockets 1)" != "lost 1" ]
}

get()
{
	on client curl -sS -m 5 "http://$(url front "$1"):$2/who"
}

services "$local_ones"
tandemd_start
expect "lo has the VIP" has "$vip"
expect_is "what status shows" "$(ask '.engine.addresses | join(" ")' status)" "$vip"
expect "it does so in words" grep -qE "^on lo +$vip\$" < <(ctl status)
start_nginx
start udp lb "$here/server.py" lb "$lab" 8053 "$vip/53-53"
wait_for 5 "nginx answers" get 10 81
wait_for 5 "the server of datagrams answers" udp_is_up
expect_is "what the host's own server sees" "$(get 10 80)" "lb $(addr front 99) $vip"
expect_is "what nginx sees" "$(get 10 81)" "nginx $(addr front 99) $vip"
expect_is "what UDP sees" "$(on client "$here/ask_udp.py" "$vip" 53 --timeout 8)" "lb $(addr front 99) 40"
expect_is "what the operator's address serves" "$(get 20 80)" "lb $(addr front 99) $own"
expect "packets are counted" [ "$(packets dns)" -ge 205 ]
expect_is "the pool of such a service" "$(ask .pool service show web)" null

# The rest of the VIP is closed, and ping is the engine's.
serve_before=$(verdicts no_service)
expect_not "another port answers" on client curl -s -m 1 "http://$(url front 10):8053/"
expect "other ports are dropped" [ "$(verdicts no_service)" -gt "$serve_before" ]
expect "ping is answered" on client ping -c 1 -W 2 "$vip" >"$lab/ping"
expect_is "pings answered" "$(verdicts echo_answered)" 1

# A daemon that dies in the middle of it changes nothing.
load long client --keep --workers 4 --rate 40 "http://$(url front 10)/who" "http://$(url front 10):81/who"
more long 40
before=$(packets web)
slay tandemd
expect "lo has the VIP without tandemd" has "$vip"
since=$EPOCHREALTIME
more long 40 nginx
tandemd_start
more long 40 lb
expect_is "requests lost" "$(lost long "$since")" ""
expect "counters go on" [ "$(packets web)" -gt "$before" ]
stop long INT || :

# Somebody else's hands: it comes back.
ip -n "$prefix-lb" addr del "$vip/$bits" dev lo
wait_for 5 "lo has the VIP that was taken away" has "$vip"
expect_is "what the host's own server sees then" "$(get 10 80)" "lb $(addr front 99) $vip"

# What is not wanted any more goes; what was there before stays.
services "$others"
ctl config apply >"$lab/apply" 2>&1
expect_not "lo has the VIP of no such service" has "$vip"
expect "lo has the operator's" has "$own"
services "$local_ones"
ctl config apply >"$lab/apply" 2>&1
expect "lo has the VIP again" has "$vip"
slay tandemd
services "$others"
tandemd_start
expect_not "lo has what a process before has added" has "$vip"
services "$local_ones"
ctl config apply >"$lab/apply" 2>&1
stop tandemd || :
expect "lo has the VIP after the end" has "$vip"
expect "all is detached" detach
expect_not "lo has the VIP after --detach" has "$vip"
tandemd_start
[ "$engine" = xdp ] || exit 0 # tandem-dpdk gives its interfaces back when it ends, and then alone
ctl engine detach >"$lab/detach" 2>&1
expect_not "lo has the VIP after engine detach" has "$vip"
expect "lo has the operator's in the end" has "$own"
expect_is "bad checksums received" "$(bad_checksums client lb)" 0

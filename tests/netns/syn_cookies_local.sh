#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Connections of this host's own services that begin with SYN cookies, which its stack takes meanwhile, and a flood of forged SYNs
# beside them (FAMILY=4 or 6). XDP gives the cookies itself; where packets go by tandem-dpdk, the stack does.
#
#   client .99 ─┬─ front ── .2 lb: VIP .10 with tcp 80 (by cookies), tcp 81 (in a flood)
#   old    .97 ─┤
#   rogue  .98 ─┘
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

net front back
host lb
plug lb front 2
plug lb back 2
n=97
for host in old rogue client; do
	host "$host"
	plug "$host" front "$n"
	n=$((n + 1))
done
on old sysctl -qw net.ipv4.tcp_window_scaling=0 net.ipv4.tcp_sack=0 net.ipv4.tcp_timestamps=0
vip=$(addr front 10) site=http://$(url front 10)
head -c 6000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob")

# The service on 80 with these words: services WORDS
services()
{
	config <<-END
		vips: { web: { address = "$vip"; interface = "front"; }; };
		services: {
			web: { vip = "web"; port = 80; forward = "local"; $1 };
			flood: { vip = "web"; port = 8081; forward = "local"; syn_cookies = "auto"; syn_threshold = 100; };
		};
	END
}
always='syn_cookies = "auto"; syn_threshold = 0;'

setting()
{
	on lb sysctl -n "net.ipv4.$1"
}

is_set()
{
	[ "$(setting "$1")" = "$2" ]
}

# Whether the stack takes cookies, and is told of; or neither.
takes_cookies()
{
	is_set tcp_syncookies 2 && is_set tcp_timestamps 2 &&
		holds '[.engine.settings[] | .name + "=" + .was] == ["net.ipv4.tcp_syncookies=1", "net.ipv4.tcp_timestamps=1"]' status
}

is_as_before()
{
	is_set tcp_syncookies 1 && is_set tcp_timestamps 1 && [ ! -e "$lab/run/nic" ] || ! grep -q setting "$lab/run/nic"
}

# A counter of lb's stack.
stack_counted()
{
	on lb awk -v name="$1" '$1 == "TcpExt:" && !n { n = split($0, names); next }
		$1 == "TcpExt:" { for (i = 2; i <= n; i++) if (names[i] == name) print $i }' /proc/net/netstat
}

# How many SYNs were answered with a cookie.
given()
{
	if [ "$engine" = xdp ]; then
		verdicts syn_cookie
	else
		stack_counted SyncookiesSent
	fi
}

on lb sysctl -qw net.ipv4.tcp_syncookies=1 net.ipv4.tcp_timestamps=1
serve lb 80
start flooded lb "$here/server.py" lb "$lab" 8081
mac=$(ip -n "$prefix-lb" -j link show dev front | jq -r '.[0].address')
services "$always"
tandemd_start
wait_for 5 "the stack takes cookies" takes_cookies
expect "status tells what is changed" grep -qE '^changed +net.ipv4.tcp_syncookies \(was 1\), net.ipv4.tcp_timestamps \(was 1\)$' \
	< <(ctl status)

# Every connection begins with a cookie that the stack takes: pages, and megabytes each way.
for host in client old; do
	for _ in $(seq 20); do
		on "$host" curl -sS -m 5 "$site/who"
	done >"$lab/answers"
	expect_is "servers that $host sees" "$(awk '{ print $1 }' "$lab/answers" | sort | uniq -c | awk '{ print $1, $2 }')" "20 lb"
	expect_is "the download of $host" "$(on "$host" curl -sS -m 60 "$site/blob" | sha256sum)" "$sum"
	expect_is "the upload of $host" "$(on "$host" curl -sS -m 60 -T "$lab/blob" "$site/")" "${sum%% *}"
done
expect "each began with a cookie" [ "$(given)" -ge 44 ]
expect "the stack took them" [ "$(stack_counted SyncookiesRecv)" -ge 44 ]
expect_is "cookies of the stack and the engine" "$(($(stack_counted SyncookiesSent) + $(verdicts syn_cookie)))" "$(given)"
capture options client front "tcp port 80"
on client curl -sS -m 5 "$site/who" >"$lab/answers"
stop options INT
expect "the client may scale windows and acknowledge selectively" grep -qE 'Flags \[S\.\].*sackOK,TS val.*wscale [1-9]' \
	< <(captured options)

# A daemon that dies changes nothing; the next one puts back what it does not want.
slay tandemd
expect_is "what the host's server says" "$(on client curl -sS -m 5 "$site/who" | cut -d ' ' -f 1)" lb
expect "the stack takes cookies without tandemd" is_set tcp_syncookies 2
services 'syn_cookies = "off";'
tandemd_start
wait_for 5 "the stack is as before" is_as_before
expect_is "what the host's server says" "$(on client curl -sS -m 5 "$site/who" | cut -d ' ' -f 1)" lb

# A flood: pages go on, an operator is told, and the stack is told of it too.
start slow client curl -sS -m 60 --limit-rate 1M -o "$lab/slow" "http://$(url front 10):8081/blob"
wait_for 5 "the slow download has begun" test -s "$lab/slow"
start flood rogue "$here/syn_flood.py" front "$mac" 02:00:00:00:00:98 "$vip" 8081 --count 20000 --rate 4000
wait_for 5 "the flood is seen" holds '.flood.on' service show flood
expect "the stack takes cookies" takes_cookies
expect "status tells of it" grep -q 'SYNs to 1 service come in a flood (syn_threshold): flood' < <(ctl status)
for _ in $(seq 30); do
	on client curl -sS -m 5 "http://$(url front 10):8081/who"
done >"$lab/answers"
expect_is "pages in the flood" "$(awk '{ print $1 }' "$lab/answers" | sort | uniq -c | awk '{ print $1, $2 }')" "30 lb"
wait "${pids[flood]}" || fail "the flood failed: $(cat "$lab/flood.log")"
unset 'pids[flood]'
wait "${pids[slow]}" || fail "the slow download failed: $(cat "$lab/slow.log")"
unset 'pids[slow]'
expect_is "the download through the flood" "$(sha256sum <"$lab/slow")" "$sum"
wait_for 20 "the flood is over" holds '.flood.on == false' service show flood
expect "the stack still takes cookies that may come back" takes_cookies

# Detaching puts the stack back; what an operator has set stays.
[ "$engine" = xdp ] || stop tandem-dpdk
expect "all is detached" ctl engine detach >"$lab/detach" 2>&1
expect "the stack is as before" is_as_before
stop tandemd || :
on lb sysctl -qw net.ipv4.tcp_syncookies=2 net.ipv4.tcp_timestamps=0
services "$always"
tandemd_start
before=$(given)
page_by_cookie()
{
	on client curl -sS -m 5 "$site/who" && [ "$(given)" -gt "$before" ]
}
wait_for 5 "a page comes by a cookie" page_by_cookie
expect_is "settings that were changed" "$(ask '.engine.settings | length' status)" 0
stop tandemd || :
detach
expect "what an operator has set stays" is_set tcp_syncookies 2
expect_is "bad checksums received" "$(bad_checksums client old lb)" 0

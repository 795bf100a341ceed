#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Connections of nat services that begin with SYN cookies, and a flood of forged SYNs beside them (FAMILY=4 or 6).
#
#   client .99 ─┬─ front ── .2 lb .2 ── back ── .11 srv1: 8080 (nginx), 8025 (speaks first), 8099 (closed)
#   old    .97 ─┤  VIP .10    gateway .1
#   rogue  .98 ─┘  80, 25, 81 (all by cookies), 82 (in a flood)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 1
host old
plug old front 97
host rogue
plug rogue front 98
# What knows none of the options that cookies have room for.
on old sysctl -qw net.ipv4.tcp_window_scaling=0 net.ipv4.tcp_sack=0 net.ipv4.tcp_timestamps=0
vip=$(addr front 10) site=http://$(url front 10)
mkdir -p "$lab/www/put"
head -c 6000000 /dev/urandom >"$lab/www/blob"
sum=$(sha256sum <"$lab/www/blob")

# Services, those on 80, 25 and 81 with these words besides: services WORDS
services()
{
	config <<-END
		vips: { web: { address = "$vip"; interface = "front"; }; };
		gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
		health: { web: { type = "http"; path = "/healthz"; interval = "500ms"; timeout = "500ms"; rise = 1; fall = 50; }; };
		pools: {
			web: { health = "web"; servers: { srv1: { address = "$(addr back 11)"; port = 8080; }; }; };
			flood: { servers: { srv1: { address = "$(addr back 11)"; port = 8082; }; }; };
			mail: { servers: { srv1: { address = "$(addr back 11)"; port = 8025; }; }; };
			gone: { servers: { srv1: { address = "$(addr back 11)"; port = 8099; }; }; };
		};
		services: {
			web: { vip = "web"; port = 80; forward = "nat"; pool = "web"; $1 };
			mail: { vip = "web"; port = 25; forward = "nat"; pool = "mail"; $1 };
			gone: { vip = "web"; port = 81; forward = "nat"; pool = "gone"; $1 };
			flood: { vip = "web"; port = 82; forward = "nat"; pool = "flood"; syn_cookies = "auto"; syn_threshold = 100; };
		};
	END
}
always='syn_cookies = "auto"; syn_threshold = 0;'

start_nginx()
{
	cat >"$lab/nginx.conf" <<-END
		daemon off;
		user root;
		master_process off;
		pid $lab/nginx.pid;
		error_log $lab/nginx.error;
		events {}
		http {
			access_log off;
			client_max_body_size 100m;
			client_body_temp_path $lab/body;
			server {
				listen 8080;
				listen 8082;
				listen [::]:8080;
				listen [::]:8082;
				root $lab/www;
				location = /who { return 200 "nginx \$remote_addr \$server_addr\n"; }
				location = /healthz { return 200 "ok\n"; }
				location /put { dav_methods PUT; }
			}
		}
	END
	start nginx srv1 nginx -c "$lab/nginx.conf" -e "$lab/nginx.error"
}

# The SHA-256 of a download, and of an upload: download HOST [OPTION]...
download()
{
	on "$1" curl -sS -m 60 "${@:2}" "$site/blob" | sha256sum
}

upload()
{
	on "$1" curl -sS -m 60 -T "$lab/www/blob" "$site/put/$1"
	sha256sum <"$lab/www/put/$1"
}

# What a server that speaks first says, and says again: chat HOST
chat()
{
	on "$1" python3 -c '
import socket, sys
with socket.create_connection((sys.argv[1], 25), 5) as s, s.makefile("rw") as f:
    greeting = f.readline().strip()
    f.write("hello\n")
    f.flush()
    print(greeting, f.readline().strip())' "$vip"
}

flood()
{
	start flood rogue "$here/syn_flood.py" front "$(cat "$lab/mac")" 02:00:00:00:00:98 "$vip" 82 --count "$1" --rate "$2"
}

# Whether new connections begin without them, which is so a little after the last flood.
no_cookies()
{
	local before

	before=$(verdicts syn_cookie)
	more short 20
	[ "$(verdicts syn_cookie)" = "$before" ]
}

start_nginx
start mail srv1 "$here/speak_first.py" srv1 8025
ip -n "$prefix-lb" -j link show dev front | jq -r '.[0].address' >"$lab/mac"
services "$always"
tandemd_start
serving 4
wait_for 5 "nginx answers" on srv1 curl -sS -m 1 "http://$(url back 11):8080/who"

# Pages and megabytes each way, for clients with and without options; every one begins with a cookie.
for host in client old; do
	for _ in $(seq 20); do
		on "$host" curl -sS -m 5 "$site/who"
	done >"$lab/answers"
	expect_is "what the server sees of $host" "$(sort -u "$lab/answers")" \
		"nginx $(addr front "$([ "$host" = client ] && echo 99 || echo 97)") $(addr back 11)"
	expect_is "the download of $host" "$(download "$host")" "$sum"
	expect_is "the upload of $host" "$(upload "$host")" "$sum"
	expect_is "what a server that speaks first says to $host" "$(chat "$host")" "srv1 hello"
done
cookies=$(verdicts syn_cookie)
expect "each began with a cookie" [ "$cookies" -ge 46 ]
expect "status of the service shows no flood" holds '.syn_cookies == "auto" and .syn_threshold == 0' service show web

# Many at a time, on connections of their own and kept ones.
load short client --workers 8 --rate 200 "$site/who"
load long client --keep --workers 8 --rate 100 "$site/who"
more short 300
more long 200
wait_for 5 "kept connections are counted" holds '.flood.proxied >= 8' service show web

# What no server takes is refused.
status=0
on client curl -sS -m 5 "http://$(url front 10):81/" 2>"$lab/refused" || status=$?
expect "curl fails where nobody listens" [ "$status" -ne 0 ]
expect "it was reset" grep -qiE 'reset by peer|could ?n.t connect' "$lab/refused"

# Transfers go on through reloads, with cookies and without, and through restarts.
start slow client curl -sS -m 60 --limit-rate 1M -o "$lab/slow" "$site/blob"
wait_for 5 "the slow download has begun" test -s "$lab/slow"
since=$EPOCHREALTIME
services "$always track = \"all\";"
ctl config apply >"$lab/apply" 2>&1
services 'syn_cookies = "off";'
ctl config apply >"$lab/apply" 2>&1
more long 50
wait_for 10 "no SYN cookies are sent where they are off" no_cookies
cookies=$(verdicts syn_cookie)
stop tandemd || :
more long 50
tandemd_start
more long 50
slay tandemd
services "$always"
tandemd_start
serving 4
more long 50
more short 20
expect "SYN cookies are on again" [ "$(verdicts syn_cookie)" -gt "$cookies" ]
wait "${pids[slow]}" || fail "the slow download failed: $(cat "$lab/slow.log")"
unset 'pids[slow]'
expect_is "the slow download" "$(sha256sum <"$lab/slow")" "$sum"
expect_is "requests lost" "$(lost short "$since")$(lost long "$since")" ""
stop short INT || :
stop long INT || :

# A flood: what is there goes on, what comes is answered, and an operator is told.
flooded=http://$(url front 10):82
start slow client curl -sS -m 60 --limit-rate 2M -o "$lab/slow" "$flooded/blob"
wait_for 5 "the slow download has begun" test -s "$lab/slow"
expect "there is no flood yet" holds '.flood.on == false and .flood.proxied == 0' service show flood
before=$(on srv1 awk '/^Tcp: [0-9]/ { print $7 }' /proc/net/snmp)
flood 20000 4000
wait_for 5 "the flood is seen" holds '.flood.on and .flood.syns_per_s > 1000' service show flood
expect "status tells of it" grep -q 'SYNs to 1 service come in a flood (syn_threshold): flood' < <(ctl status)
expect "service show tells of it" grep -qE '^flood +for .* SYNs answered in a second; ' < <(ctl service show flood)
for _ in $(seq 30); do
	on client curl -sS -m 5 "$flooded/who"
done >"$lab/answers"
expect_is "pages in the flood" "$(sort "$lab/answers" | uniq -c | awk '{ print $1, $2 }')" "30 nginx"
expect_is "a download in the flood" "$(on client curl -sS -m 30 "$flooded/blob" | sha256sum)" "$sum"
wait "${pids[flood]}" || fail "the flood failed: $(cat "$lab/flood.log")"
unset 'pids[flood]'
wait "${pids[slow]}" || fail "the slow download failed: $(cat "$lab/slow.log")"
unset 'pids[slow]'
expect_is "the download through the flood" "$(sha256sum <"$lab/slow")" "$sum"
after=$(on srv1 awk '/^Tcp: [0-9]/ { print $7 }' /proc/net/snmp)
expect "the server saw few SYNs of it" [ $((after - before)) -lt 1500 ]
wait_for 20 "the flood is over" holds '.flood.on == false' service show flood
expect "the log tells of both" grep -q 'service flood: a flood of SYNs has begun, more than 100 in a second' "$lab/tandemd.log"
expect "the log tells of both" grep -q 'service flood: the flood of SYNs is over' "$lab/tandemd.log"
expect_is "bad checksums received" "$(bad_checksums client old srv1 lb)" 0

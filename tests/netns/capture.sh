#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tandemctl capture: both legs of packets with their verdicts, as tshark reads them; nothing of it before and after,
# and a daemon that is killed meanwhile leaves a working data path.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
serve srv1 8080
serve srv2 8080
web 1 2 | config
tandemd_start
serving 4
site=http://$(url front 10 4)

# The name of the program that an interface runs.
program()
{
	on lb bpftool net show dev "$1" 2>/dev/null | grep -o 'id [0-9]*' | head -n 1 |
		xargs -r bpftool prog show | grep -o 'name [a-z_]*' | cut -d ' ' -f 2
}

# In an engine that is a process of its own nothing is exchanged.
runs()
{
	[ "$engine" = xdp ] || return 0
	[ "$(program front)" = "$1" ] && [ "$(program back)" = "$1" ]
}

get()
{
	on client curl -sS -m 5 "$site/who" >/dev/null
}

# capture LOG ARGUMENT..., on the screen's file LOG.log
begin()
{
	local log=$1

	shift
	start "$log" lb "$build/apps/tandemctl/tandemctl" -s "$lab/run/api.sock" capture "$@"
	wait_for 10 "the interfaces run the capturing program" runs tandem_capture
	# Who asks twice after that has been served twice, and the capture at the latest between.
	wait_for 10 "tandemctl has asked" has_asked
	ctl status >"$lab/ctl"
	ctl status >"$lab/ctl"
}

# Whether somebody is connected to the API.
has_asked()
{
	on lb awk -v socket="$lab/run/api.sock" '$6 == "03" && $NF == socket { found = 1 } END { exit !found }' /proc/net/unix
}

# Whether a file has the ends of so many connections, and both legs of each packet: has_whole FILE N
has_whole()
{
	[ "$(fields "$1" frame.number "tcp.flags.fin == 1" | wc -l)" -eq $((4 * $2)) ] &&
		[ $(($(fields "$1" frame.number tcp | wc -l) % 2)) -eq 0 ]
}

# One field of every frame, or of those that a filter wants: fields FILE FIELD [FILTER]
fields()
{
	tshark -r "$1" -T fields -e "$2" ${3:+-Y "$3"} 2>/dev/null
}

get # neighbours are known from here on
expect "no capturing program runs" runs tandem_xdp

# A connection to the VIP: every packet's two legs, on their interfaces, with verdict and names.
begin vip web4 -w "$lab/vip.pcapng"
get
get
wait_for 5 "both connections are captured" has_whole "$lab/vip.pcapng" 2
stop vip INT || :
wait_for 5 "the program is back" runs tandem_xdp
file=$lab/vip.pcapng
expect "tshark reads the file without a complaint" tshark -r "$file" -q 2>"$lab/tshark.err"
n=$(fields "$file" frame.number tcp | wc -l)
expect "packets were captured ($n)" [ "$n" -ge 32 ]
expect_is "legs that came by front, and left by back" "$(fields "$file" frame.interface_name \
	"tcp.dstport == 80 or tcp.dstport == 8080" | sort | uniq -c | awk '{ print $1 }' | uniq | wc -l)" 1
expect_is "interfaces" "$(fields "$file" frame.interface_name | sort -u | xargs)" "back front"
expect_is "comments" "$(fields "$file" frame.comment tcp | sed 's/srv[12]/srvN/' | sort -u)" \
	"forwarded, vip web4, service web4, server web4/srvN
replied, vip web4, service web4"
expect_is "bad checksums" "$(tshark -r "$file" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
	-Y 'tcp.checksum.status == Bad or ip.checksum.status == Bad' 2>/dev/null)" ""
expect_is "TTLs of the second legs" "$(fields "$file" ip.ttl 'tcp.dstport == 8080' | sort -u)" 63
expect "it says what was lost" grep -qE '^[0-9]+ packets captured, 0 lost' "$lab/vip.log"

# Of a server: what is sent to it, and its replies. With --count it ends by itself.
server=$(on client curl -sS -m 5 "$site/who" | cut -d ' ' -f 1)
begin server "web4/$server" --count 5
for _ in $(seq 20); do
	get
done
wait_for 5 "the capture of 5 packets ends" grep -qE '^5 packets captured, 0 lost' "$lab/server.log"
stop server || :
wait_for 5 "the program is back" runs tandem_xdp
expect_is "lines" "$(grep -cE '^[0-9:.]+ (in |out) ' "$lab/server.log")" 10
expect "the first one is a SYN" grep -qE \
	"^[0-9:.]+ in  front $(addr front 99 4):[0-9]+ > $(addr front 10 4):80 tcp S, 74 bytes: forwarded, .*server web4/$server\$" \
	"$lab/server.log"
expect "a reply has its line" grep -qE "^[0-9:.]+ in  back $(addr back "1${server#srv}" 4):8080 > .* replied, vip web4, service web4\$" \
	"$lab/server.log"

# One at a time; unknown names.
begin first web4
expect_is "a second capture" "$(ctl capture web6 2>&1 || echo $?)" \
	"$(printf 'tandemctl: somebody is capturing already: there is one capture at a time, wait for its end\n6')"
expect_is "an unknown name" "$(ctl capture wbe4 2>&1 || echo $?)" \
	"$(printf 'tandemctl: there is no vip "wbe4"\n5')"

# Its client dies: the program is exchanged all the same.
slay first
wait_for 5 "the program is back" runs tandem_xdp

# The daemon dies: packets flow on, and the next one runs the program itself.
begin last web4
slay tandemd
expect "packets flow on by the capturing program" get
expect "that one still runs" runs tandem_capture
tandemd_start
serving 4
wait_for 10 "the next daemon runs the program itself" runs tandem_xdp
expect "packets flow" get

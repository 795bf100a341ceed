# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What scripts about tunnels between the families share (FAMILY=4 or 6): helper.sh, and this lab.
#
#   front ═╤══════════╤══════════╤════════╤═══   VIP .10: clients' packets in, servers' answers out
#     client .99    lb .2     srv1 .21  srv2 .22
#   back  ════════════╧══════════╧════════╧═══   tunnels to .11 of the VIP's family, to .12 of the other; MTU 1500
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/helper.sh"

case $family in
4) other=6 ;;
6) other=4 ;;
esac
net front back
host client
plug client front 99
host lb
plug lb front 2
plug lb back 2
vip=$(addr front 10)
for n in 1 2; do
	host "srv$n"
	plug "srv$n" front "2$n"
	plug "srv$n" back "1$n"
	silent "srv$n" front 10
	serve "srv$n" 80
done
# Servers as the configuration has them.
# shellcheck disable=SC2034 # for scripts
srv1="srv1: { address = \"$(addr back 11)\"; };" srv2="srv2: { address = \"$(addr back 12 "$other")\"; };"

# decap HOST OPTION...
decap()
{
	on "$1" "$build/apps/tandem-decap/tandem-decap" back --run-dir "$lab/$1-decap" "${@:2}"
}

# The service, whose pool has more words before its servers: service WORDS SERVER...
service()
{
	config <<-END
		tunnel: { gue_port = 6090; };
		vips: { web: { address = "$vip"; interface = "front"; }; };
		health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 1; fall = 50; }; };
		pools: { web: { health = "web"; $1 servers: { ${*:2} }; }; };
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

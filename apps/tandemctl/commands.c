/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/command.h"

#define WANTED_HELP                                                                                \
	"The change is an overlay on the configuration: it takes effect at once, is kept across\n" \
	"restarts and reloads, and shows in `tandemctl status` with who made it, when, and why."

const struct command commands[] = {
	{
		.noun = "status",
		.usage = "",
		.help = "one picture of node, engine, VIPs, services and servers",
		.more = "Shows the ports and their modes, the generation that packets use, every "
			"server's state\n"
			"and weight, what operators changed at run time, and what is wrong just "
			"now.\n"
			"With -j: the object of GET /v1/status alone.",
		.run = status_show,
	},
	{
		.noun = "vip",
		.verb = "list",
		.usage = "",
		.help = "the service addresses, and the gateways of servers",
		.run = vip_list,
	},
	{
		.noun = "vip",
		.verb = "show",
		.usage = "NAME",
		.least = 1,
		.most = 1,
		.help = "one address, its services, and its drops by reason",
		.run = vip_show,
	},
	{
		.noun = "service",
		.verb = "list",
		.usage = "",
		.help = "the services, with packets and bytes sent, and drops",
		.run = service_list,
	},
	{
		.noun = "service",
		.verb = "show",
		.usage = "NAME",
		.least = 1,
		.most = 1,
		.help = "one service, and its drops by reason",
		.run = service_show,
	},
	{
		.noun = "pool",
		.verb = "list",
		.usage = "",
		.help = "the pools, and how many of their servers serve",
		.run = pool_list,
	},
	{
		.noun = "pool",
		.verb = "show",
		.usage = "NAME",
		.least = 1,
		.most = 1,
		.help = "one pool and its servers",
		.more = "A server serves, that is, takes new flows, when it is wanted ready, seen "
			"up, and has a\n"
			"weight above 0.",
		.run = pool_show,
	},
	{
		.noun = "server",
		.verb = "show",
		.usage = "POOL/SERVER",
		.least = 1,
		.most = 1,
		.help = "one server, and what is left of its flows",
		.more = "RECORDS are those of live flows that name the server, SLOTS what it owns of "
			"the pool's\n"
			"ring, and BASE slots those whose older flows still go to it after a "
			"change.\n"
			"A server that is drained has none of the three.",
		.run = server_show,
	},
	{
		.noun = "server",
		.verb = "ready",
		.usage = "POOL/SERVER",
		.least = 1,
		.most = 1,
		.takes_why = true,
		.help = "let a server take flows again",
		.more = WANTED_HELP,
		.run = server_ready,
	},
	{
		.noun = "server",
		.verb = "drain",
		.usage = "POOL/SERVER",
		.least = 1,
		.most = 1,
		.takes_why = true,
		.takes_wait = true,
		.help = "give a server no new flows",
		.more = "With --wait, prints the live records that are left whenever they change, "
			"and ends when\n"
			"no flow is left; that takes one idle time of the services at least, since "
			"a flow may be\n"
			"silent for so long. After --timeout (90s, 10m, 2h; without it: never) it "
			"gives up with exit\n"
			"code 7; the server stays drained.\n" WANTED_HELP,
		.run = server_drain,
	},
	{
		.noun = "server",
		.verb = "maint",
		.usage = "POOL/SERVER",
		.least = 1,
		.most = 1,
		.takes_why = true,
		.help = "take a server out of service",
		.more = WANTED_HELP,
		.run = server_maint,
	},
	{
		.noun = "server",
		.verb = "weight",
		.usage = "POOL/SERVER WEIGHT",
		.least = 2,
		.most = 2,
		.takes_why = true,
		.help = "change a server's share of the pool's flows",
		.more = "WEIGHT is 0 to 1000. A server of weight 2 gets twice the flows of one of "
			"weight 1; weight 0 "
			"takes none.\n"
			"The word \"default\" goes back to the weight of the "
			"configuration.\n" WANTED_HELP,
		.run = server_weight,
	},
	{
		.noun = "config",
		.verb = "check",
		.usage = "[FILE]",
		.most = 1,
		.help = "read a configuration and print every error in it",
		.more = "Needs no daemon. FILE is /etc/tandem/tandem.conf unless given.",
		.run = config_check,
	},
	{
		.noun = "config",
		.verb = "apply",
		.usage = "[FILE]",
		.most = 1,
		.help = "make the daemon read its configuration again, all or nothing",
		.more = "With FILE, that file becomes the running configuration until the next "
			"reload or start.\n"
			"A file with an error changes nothing.\n"
			"Where engine.type is another, packets change over to that engine; how long neither took any is "
			"printed.",
		.run = config_apply,
	},
	{
		.noun = "config",
		.verb = "show",
		.usage = "",
		.help = "the text of the running configuration",
		.run = config_show,
	},
	{
		.noun = "config",
		.verb = "schema",
		.usage = "",
		.help = "every word that a configuration may contain",
		.more = "Needs no daemon.",
		.run = config_schema,
	},
	{
		.noun = "health",
		.verb = "list",
		.usage = "",
		.help = "the health checks and what they last saw",
		.run = health_list,
	},
	{
		.noun = "drops",
		.usage = "",
		.help = "packets by verdict, for all and for each VIP",
		.run = drops_list,
	},
	{
		.noun = "trace",
		.verb = "inject",
		.usage = "INTERFACE [PACKET ...]",
		.least = 1,
		.most = 32,
		.takes_frame = true,
		.help = "what would become of a packet, step by step; nothing is sent",
		.more = "PACKET is PROTOCOL SOURCE DESTINATION [WORD VALUE]...:\n"
			"  tcp|udp ADDRESS:PORT ADDRESS:PORT, IPv6 as [ADDRESS]:PORT\n"
			"  icmp ADDRESS ADDRESS       an echo request\n"
			"  flags SAFRPU|none          of tcp (S)\n"
			"  ttl N                      TTL or hop limit (64)\n"
			"  len N                      bytes of the IP packet (its headers alone)\n"
			"  vlan N                     a tag; the outer one of two comes first\n"
			"  df                         do not fragment\n"
			"  id N                       of icmp\n"
			"  smac MAC, dmac MAC         of the frame (02:00:00:00:00:01, the interface's)\n"
			"Or with --hex or --pcap a whole frame. It goes through the loaded program and the\n"
			"tables that packets use, but nothing is counted, recorded, asked for or sent; the\n"
			"limit of answers is taken as not used up.",
		.run = trace_inject,
	},
	{
		.noun = "capture",
		.usage = "VIP|POOL/SERVER",
		.least = 1,
		.most = 1,
		.takes_write = true,
		.help = "packets as they pass: as they came, as they leave, and why",
		.more = "Prints a line for each leg of a packet, or with -w writes pcapng with the verdict as "
			"each\n"
			"frame's comment. Of a VIP (or gateway) all of its packets, of a server those that are "
			"sent\n"
			"to it and its replies; 2048 bytes of a frame at most. Ends with --count or when it is\n"
			"interrupted, and says how many legs were lost on the way here. The interfaces run a\n"
			"capturing program until then; there is one capture at a time.",
		.run = capture_packets,
	},
	{
		.noun = "engine",
		.verb = "detach",
		.usage = "",
		.help = "take programs and tables off the interfaces; balancing ends",
		.more = "Without a daemon, `tandemd --detach` does the same.\n"
			"While tandem-dpdk has the interfaces nothing is taken away: stop it first.",
		.run = engine_detach_ports,
	},
	{
		.noun = "version",
		.usage = "",
		.help = "the versions of this program and of the daemon",
		.run = version_show,
	},
	{
		.noun = "help",
		.usage = "[NOUN [VERB]]",
		.most = 2,
		.help = "what there is, or more about one command",
		.run = command_help,
	},
};

const size_t n_commands = sizeof commands / sizeof commands[0];

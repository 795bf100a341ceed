/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-decap/args.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/addr.h"

enum { OPT_FROM = 256, OPT_VIP, OPT_MSS, OPT_GUE, OPT_DETACH, OPT_STATUS, OPT_RUN_DIR };

enum { MSS_MIN = 88, MSS_MAX = 65495 }; /* of 128 bytes, of IPv4's largest packet */

static const struct option options[] = {
	{ "from", required_argument, NULL, OPT_FROM },
	{ "vip", required_argument, NULL, OPT_VIP },
	{ "mss", required_argument, NULL, OPT_MSS },
	{ "gue", required_argument, NULL, OPT_GUE },
	{ "detach", no_argument, NULL, OPT_DETACH },
	{ "status", no_argument, NULL, OPT_STATUS },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void args_help(void)
{
	puts("Usage: tandem-decap IFACE --from PREFIX... --vip ADDRESS... [--gue PORT] [--mss N]\n"
	     "       tandem-decap IFACE --status | --detach\n"
	     "The server side of tunnel services: takes packets for VIPs out of the tunnels of a\n"
	     "tandem appliance and refuses all other tunnels to this host. Stays in effect when it\n"
	     "has ended, until --detach.\n"
	     "\n"
	     "      --from PREFIX   where the appliance's tunnels come from, an address or a prefix\n"
	     "      --vip ADDRESS   what packets inside are for; this host has it on lo\n"
	     "      --gue PORT      UDP to this port is a tunnel too (GUE), 6080 unless the appliance says\n"
	     "                      otherwise\n"
	     "      --mss N         largest MSS that SYN-ACKs from the VIPs offer (by IFACE's MTU)\n"
	     "      --status        print what is in effect, and counters\n"
	     "      --detach        take it off the interface\n"
	     "      --run-dir DIR   where it is pinned (/run/tandem-decap)\n"
	     "  -h, --help          print this and end\n"
	     "  -V, --version       print the version and end\n"
	     "\n"
	     "Exit status: 0 all is well, 1 it failed, 2 wrong command line.");
}

static int wrong(const char *what, const char *text, const char *wanted)
{
	fprintf(stderr, "tandem-decap: %s %s: give %s\n", what, text, wanted);
	return -EINVAL;
}

static struct decap_address address_of(const struct addr *a)
{
	struct decap_address out = { .is6 = a->af == 6 };

	memcpy(out.words, a->bytes, addr_size(a));
	return out;
}

static int add_from(struct args *a, const char *text)
{
	struct decap_prefix *grown = reallocarray(a->from, a->n_from + 1u, sizeof *grown);
	struct addr prefix, net;
	uint8_t plen = 0;
	int rc;

	if (!grown)
		return -ENOMEM;
	a->from = grown;
	rc = strchr(text, '/') ? addr_parse_prefix(text, &prefix, &plen)
			       : addr_parse(text, &prefix);
	if (rc)
		return wrong("--from", text, "an address, or a prefix such as 10.9.0.0/16");
	if (!strchr(text, '/'))
		plen = (uint8_t)(8 * addr_size(&prefix));
	net = addr_network(&prefix, plen);
	if (!addr_equal(&net, &prefix))
		return wrong("--from", text, "a prefix with zeros behind its length");
	grown[a->n_from++] = (struct decap_prefix){ address_of(&prefix), plen };
	return 0;
}

static int add_vip(struct args *a, const char *text)
{
	struct decap_address *grown = reallocarray(a->vips, a->n_vips + 1u, sizeof *grown);
	struct addr vip;

	if (!grown)
		return -ENOMEM;
	a->vips = grown;
	if (addr_parse(text, &vip) || !addr_is_unicast(&vip))
		return wrong("--vip", text, "a unicast IPv4 or IPv6 address");
	grown[a->n_vips++] = address_of(&vip);
	return 0;
}

static int parse_mss(struct args *a, const char *text)
{
	char *end;
	unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

	if (n < MSS_MIN || n > MSS_MAX || *end)
		return wrong("--mss", text, "a number of bytes from 88 to 65495");
	a->mss = (uint16_t)n;
	return 0;
}

static int parse_gue(struct args *a, const char *text)
{
	char *end;
	unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

	if (!n || n > UINT16_MAX || *end)
		return wrong("--gue", text, "a UDP port, from 1 to 65535");
	a->gue_port = (uint16_t)n;
	return 0;
}

static int parse_option(struct args *a, int option)
{
	switch (option) {
	case OPT_FROM:
		return add_from(a, optarg);
	case OPT_VIP:
		return add_vip(a, optarg);
	case OPT_MSS:
		return parse_mss(a, optarg);
	case OPT_GUE:
		return parse_gue(a, optarg);
	case OPT_DETACH:
		a->action = ARGS_DETACH;
		return 0;
	case OPT_STATUS:
		a->action = ARGS_STATUS;
		return 0;
	case OPT_RUN_DIR:
		a->run_dir = optarg;
		return 0;
	case 'h':
		a->action = ARGS_HELP;
		return 0;
	case 'V':
		a->action = ARGS_VERSION;
		return 0;
	default:
		fputs("tandem-decap: try --help\n", stderr);
		return -EINVAL;
	}
}

static int check(const struct args *a)
{
	if (a->action == ARGS_HELP || a->action == ARGS_VERSION)
		return 0;
	if (!a->device)
		return wrong("IFACE", "is missing", "the name of a network interface");
	if (a->action != ARGS_ATTACH)
		return a->n_from || a->n_vips || a->mss || a->gue_port
			       ? wrong("--status and --detach", "stand alone", "nothing but IFACE")
			       : 0;
	if (!a->n_from || !a->n_vips)
		return wrong(a->n_from ? "--vip" : "--from", "is missing", "one at least");
	return 0;
}

int args_parse(struct args *out, int argc, char **argv)
{
	int option, rc = 0;

	*out = (struct args){ .run_dir = "/run/tandem-decap" };
	while (!rc && (option = getopt_long(argc, argv, "hV", options, NULL)) != -1)
		rc = parse_option(out, option);
	if (!rc && optind < argc)
		out->device = argv[optind++];
	if (!rc && optind < argc)
		rc = wrong("unexpected argument", argv[optind], "one interface");
	if (rc == -ENOMEM)
		fputs("tandem-decap: out of memory\n", stderr);
	return rc ? rc : check(out);
}

void args_free(struct args *a)
{
	free(a->from);
	free(a->vips);
}

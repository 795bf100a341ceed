/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/args.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

enum { OPT_RUN_DIR = 256, OPT_GIVE_BACK, OPT_LOG_LEVEL };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "give-back", no_argument, NULL, OPT_GIVE_BACK },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void args_help(void)
{
	puts("Usage: tandem-dpdk [-c FILE] [OPTION]...\n"
	     "The packet engine of tandem on DPDK, for FILEs that say engine.type = \"dpdk\". Stays in the\n"
	     "foreground; tandemd tells it what becomes of packets.\n"
	     "\n"
	     "  -c, --config FILE  configuration (/etc/tandem/tandem.conf)\n"
	     "      --run-dir DIR  tables, and the socket for tandemd (/run/tandem)\n"
	     "      --give-back    give the host back what a process that was killed had taken, and end\n"
	     "      --log-level L  error, warn, info or debug (info)\n"
	     "  -h, --help         print this and end\n"
	     "  -V, --version      print the version and end\n"
	     "\n"
	     "SIGTERM and SIGINT end it and give the interfaces back to the host.\n"
	     "Exit status: 0 all is well, 1 it failed, 2 wrong command line.");
}

static int parse_level(const char *name, enum log_level *out)
{
	if (!log_level_parse(name, out))
		return 0;
	fprintf(stderr, "tandem-dpdk: --log-level %s: give error, warn, info or debug\n", name);
	return -EINVAL;
}

static int parse_option(struct args *a, int option)
{
	switch (option) {
	case 'c':
		a->config = optarg;
		return 0;
	case OPT_RUN_DIR:
		a->run_dir = optarg;
		return 0;
	case OPT_GIVE_BACK:
		a->action = ARGS_GIVE_BACK;
		return 0;
	case OPT_LOG_LEVEL:
		return parse_level(optarg, &a->log_level);
	case 'h':
		a->action = ARGS_HELP;
		return 0;
	case 'V':
		a->action = ARGS_VERSION;
		return 0;
	default:
		fputs("tandem-dpdk: try --help\n", stderr);
		return -EINVAL;
	}
}

int args_parse(struct args *out, int argc, char **argv)
{
	int option, err = 0;

	*out = (struct args){
		.action = ARGS_RUN,
		.config = "/etc/tandem/tandem.conf",
		.run_dir = "/run/tandem",
		.log_level = LOG_LEVEL_INFO,
	};
	while (!err && (option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1)
		err = parse_option(out, option);
	if (!err && optind < argc) {
		fprintf(stderr, "tandem-dpdk: unexpected argument %s; try --help\n", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemd/args.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

enum { OPT_RUN_DIR = 256, OPT_STATE_DIR, OPT_CHECK, OPT_DETACH, OPT_LOG_LEVEL };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "detach", no_argument, NULL, OPT_DETACH },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void args_help(void)
{
	puts("Usage: tandemd [-c FILE] [OPTION]...\n"
	     "Balances what comes to the addresses that FILE names. Stays in the foreground.\n"
	     "\n"
	     "  -c, --config FILE    configuration (/etc/tandem/tandem.conf)\n"
	     "      --run-dir DIR    API socket, lock and pinned tables (/run/tandem)\n"
	     "      --state-dir DIR  what outlives the daemon (/var/lib/tandem)\n"
	     "      --check          check the configuration, say what is wrong with it, and end\n"
	     "      --detach         take programs and tables out of the kernel, and end; packets "
	     "are\n"
	     "                       left to this host\n"
	     "      --log-level L    error, warn, info or debug (info)\n"
	     "  -h, --help           print this and end\n"
	     "  -V, --version        print the version and end\n"
	     "\n"
	     "SIGHUP reads the configuration again. SIGTERM and SIGINT end the daemon; packets "
	     "keep flowing.\n"
	     "Exit status: 0 all is well, 1 it failed, 2 wrong command line.");
}

static int parse_level(const char *name, enum log_level *out)
{
	if (!log_level_parse(name, out))
		return 0;
	fprintf(stderr, "tandemd: --log-level %s: give error, warn, info or debug\n", name);
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
	case OPT_STATE_DIR:
		a->state_dir = optarg;
		return 0;
	case OPT_CHECK:
		a->action = ARGS_CHECK;
		return 0;
	case OPT_DETACH:
		a->action = ARGS_DETACH;
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
		fputs("tandemd: try --help\n", stderr);
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
		.state_dir = "/var/lib/tandem",
		.log_level = LOG_LEVEL_INFO,
	};
	while (!err && (option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1)
		err = parse_option(out, option);
	if (!err && optind < argc) {
		fprintf(stderr, "tandemd: unexpected argument %s; try --help\n", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

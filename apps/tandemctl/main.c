/* SPDX-License-Identifier: BSD-2-Clause */
/* tandemctl: the command line of tandemd's API. */
#include <curl/curl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/client.h"
#include "apps/tandemctl/command.h"
#include "apps/tandemctl/text.h"
#include "controlplane/conf/units.h"

#define DEFAULT_SOCKET	   "/run/tandem/api.sock"
#define DEFAULT_TIMEOUT_MS 10000
#define LONGEST_TIMEOUT_MS (7u * 24 * 3600 * 1000)

struct options {
	const char *socket, *why, *hex, *pcap;
	const char *write, *short_w; /* -w is short for two of them */
	unsigned long frame, count;  /* 0: not given */
	uint32_t timeout_ms;	     /* 0: not given */
	bool json, wait, help, version;
};

/* Seconds, or a duration with its unit as in the configuration. Returns false with a sentence in e. */
static bool read_timeout(const char *text, uint32_t *out, struct err *e)
{
	char *seconds = text_printf("%ss", text);
	bool good = !conf_duration_parse(text, out) || !conf_duration_parse(seconds, out);

	free(seconds);
	if (good && *out >= 1000 && *out <= LONGEST_TIMEOUT_MS)
		return true;
	err_set(e, 0,
		"a time-out is a number of seconds or a time such as \"10m\", from 1s to 168h, not "
		"\"%s\"",
		text);
	return false;
}

/* Frames and packets are counted from 1. Returns false with a sentence in e. */
static bool read_count(const char *option, const char *text, unsigned long *out, struct err *e)
{
	size_t digits = strspn(text, "0123456789");

	*out = strtoul(text, NULL, 10);
	if (digits && digits < 10 && !text[digits] && *out)
		return true;
	err_set(e, 0, "%s takes a number from 1, not \"%s\"", option, text);
	return false;
}

/* The sentence for an option that getopt_long() refused with c. */
static void wrong_option(char **argv, int c, struct err *e)
{
	char letter[] = { '-', (char)optopt, '\0' };
	const char *option = optopt ? letter : argv[optind - 1];

	if (c == ':')
		err_set(e, 0, "the option %s needs a value; see `tandemctl help`", option);
	else
		err_set(e, 0, "there is no option %s; see `tandemctl help`", option);
}

/* What getopt_long() has found. Returns false with a sentence in e when it is wrong. */
static bool take_option(char **argv, int c, struct options *o, struct err *e)
{
	switch (c) {
	case 's':
		o->socket = optarg;
		return true;
	case 'j':
		return o->json = true;
	case 'w':
		o->short_w = optarg;
		return true;
	case 'y':
		o->why = optarg;
		return true;
	case 'o':
		o->write = optarg;
		return true;
	case 'x':
		o->hex = optarg;
		return true;
	case 'p':
		o->pcap = optarg;
		return true;
	case 'n':
		return read_count("--frame", optarg, &o->frame, e);
	case 'c':
		return read_count("--count", optarg, &o->count, e);
	case 't':
		return read_timeout(optarg, &o->timeout_ms, e);
	case 'W':
		return o->wait = true;
	case 'h':
		return o->help = true;
	case 'V':
		return o->version = true;
	default:
		wrong_option(argv, c, e);
		return false;
	}
}

/* Options may stand anywhere among the words. Returns false with a sentence in e when one is wrong. */
static bool read_options(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "timeout", required_argument, NULL, 't' },
		{ "why", required_argument, NULL, 'y' },
		{ "write", required_argument, NULL, 'o' },
		{ "count", required_argument, NULL, 'c' },
		{ "wait", no_argument, NULL, 'W' },
		{ "hex", required_argument, NULL, 'x' },
		{ "pcap", required_argument, NULL, 'p' },
		{ "frame", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, ":s:jt:w:hV", longs, NULL)) != -1)
		if (!take_option(argv, c, o, e))
			return false;
	return true;
}

/* With --wait, --timeout is for all that is waited for; no single answer takes that long. */
static long answer_timeout(const struct options *o)
{
	if (!o->timeout_ms || (o->wait && o->timeout_ms > DEFAULT_TIMEOUT_MS))
		return DEFAULT_TIMEOUT_MS;
	return (long)o->timeout_ms;
}

/* Whether the command takes the options that are given; else with a sentence in e. */
static bool options_fit(const struct options *o, const struct command *c, struct err *e)
{
	const struct {
		bool given, taken;
		const char *sentence;
	} all[] = {
		{ o->why, c->takes_why, "--why is for changes of servers only" },
		{ o->wait, c->takes_wait, "--wait is for \"server drain\" only" },
		{ o->hex || o->pcap || o->frame, c->takes_frame,
			"--hex, --pcap and --frame are for \"trace inject\" only" },
		{ o->write || o->count, c->takes_write,
			"--write and --count are for \"capture\" only" },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (!all[i].given || all[i].taken)
			continue;
		err_set(e, 0, "%s", all[i].sentence);
		return false;
	}
	return true;
}

static enum ctl_exit run_command(struct ctl *ctl, struct options *o, char **words)
{
	char **args;
	const struct command *c = command_find(words, &args, &ctl->err);
	enum ctl_exit rc;

	if (!c)
		return CTL_USAGE;
	if (o->short_w)
		*(c->takes_write ? &o->write : &o->why) = o->short_w;
	if (!options_fit(o, c, &ctl->err))
		return CTL_USAGE;
	ctl->why = o->why;
	ctl->write = o->write;
	if (client_new(&ctl->client, o->socket, answer_timeout(o), &ctl->err))
		return CTL_USAGE;
	rc = c->run(ctl, args);
	client_free(ctl->client);
	return rc;
}

static enum ctl_exit run(struct ctl *ctl, int argc, char **argv)
{
	const char *socket = getenv("TANDEM_SOCKET");
	struct options o = {
		.socket = socket && *socket ? socket : DEFAULT_SOCKET,
	};

	if (!read_options(argc, argv, &o, &ctl->err))
		return CTL_USAGE;
	ctl->json = o.json;
	ctl->wait = o.wait;
	ctl->hex = o.hex;
	ctl->pcap = o.pcap;
	ctl->frame = o.frame;
	ctl->count = o.count;
	ctl->limit_ms = o.timeout_ms;
	if (o.help)
		return command_help(ctl, argv + optind);
	if (o.version) {
		fprintf(ctl->screen.out, "tandemctl %s\n", TANDEM_VERSION);
		return CTL_OK;
	}
	return run_command(ctl, &o, argv + optind);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	enum ctl_exit rc;

	screen_init(&ctl.screen, time(NULL));
	curl_global_init(CURL_GLOBAL_NOTHING);
	rc = run(&ctl, argc, argv);
	curl_global_cleanup();
	if (*ctl.err.text) {
		char *text = text_escape(ctl.err.text);

		fprintf(stderr, "tandemctl: %s\n", text);
		free(text);
	}
	if ((fflush(stdout) || ferror(stdout)) && !rc) {
		fputs("tandemctl: the output could not be written in full\n", stderr);
		rc = CTL_NEGATIVE;
	}
	return (int)rc;
}

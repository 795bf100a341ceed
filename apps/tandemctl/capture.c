/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets as they pass, on the screen or into a file, until there are enough of them or somebody interrupts. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/packet.h"
#include "apps/tandemctl/pcapng.h"
#include "apps/tandemctl/summary.h"
#include "apps/tandemctl/text.h"

struct capture {
	struct ctl *ctl;
	FILE *file; /* NULL: lines on the screen */
	struct pcapng *pcapng;
	unsigned long packets, legs;
	json_int_t lost;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

static bool is_interrupted(void)
{
	return interrupted;
}

static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static const char *member(const json_t *leg, const char *name)
{
	const char *text = json_string_value(json_object_get(leg, name));

	return text ? text : "";
}

/* "forwarded, service web, server web/web1"; to be freed. */
static char *verdict_text(const json_t *leg)
{
	static const char *const names[] = { "vip", "service", "server" };
	char *text = text_printf("%s", member(leg, "verdict"));

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *more;

		if (!*member(leg, names[i]))
			continue;
		more = text_printf("%s, %s %s", text, names[i], member(leg, names[i]));
		free(text);
		text = more;
	}
	return text;
}

static void print_time(FILE *out, json_int_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[16];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%H:%M:%S", &tm);
	fprintf(out, "%s.%06d ", text, (int)(ns % 1000000000 / 1000));
}

static void print_leg(const struct screen *s, const json_t *leg, const struct packet *p)
{
	char *verdict = verdict_text(leg), *interface = text_escape(member(leg, "interface"));
	char *safe = text_escape(verdict);

	print_time(s->out, json_integer_value(json_object_get(leg, "time_ns")));
	fprintf(s->out, "%-3s %s ", member(leg, "leg")[0] == 'i' ? "in" : "out", interface);
	summary_print(s->out, p->bytes, p->n);
	fprintf(s->out, ", %lld bytes: %s\n",
		(long long)json_integer_value(json_object_get(leg, "length")), safe);
	fflush(s->out);
	free(safe);
	free(interface);
	free(verdict);
}

static void write_leg(struct capture *c, const json_t *leg, const struct packet *p)
{
	char *verdict = verdict_text(leg);
	json_int_t length = json_integer_value(json_object_get(leg, "length"));
	const struct pcapng_frame f = {
		.interface = member(leg, "interface"),
		.direction = strcmp(member(leg, "leg"), "in") == 0 ? PCAPNG_IN : PCAPNG_OUT,
		.time_ns = (uint64_t)json_integer_value(json_object_get(leg, "time_ns")),
		.length = length < (json_int_t)p->n ? p->n : (size_t)length,
		.bytes = p->bytes,
		.captured = p->n,
		.comment = verdict,
	};

	pcapng_write(c->pcapng, &f);
	fflush(c->file);
	free(verdict);
}

static bool is_first_leg(const json_t *leg)
{
	return strcmp(member(leg, "leg"), "in") == 0;
}

/* The leg after the last wanted packet: its own second leg may come, another packet ends it. */
static bool is_enough(const struct capture *c, const json_t *leg)
{
	return c->ctl->count && c->packets >= c->ctl->count && is_first_leg(leg);
}

/* Whether a second leg follows the last packet that is wanted. */
static bool is_last(const struct capture *c, const json_t *leg)
{
	bool sent = strcmp(member(leg, "action"), "send") == 0;

	return c->ctl->count && c->packets >= c->ctl->count && (!is_first_leg(leg) || !sent);
}

/* Returns false when it has seen enough. */
static bool take_line(void *arg, const char *line, size_t n)
{
	struct capture *c = arg;
	json_t *leg = json_loadb(line, n, 0, NULL), *lost = json_object_get(leg, "lost");
	struct packet p;
	struct err ignored;
	bool more = true;

	if (lost) {
		c->lost = json_integer_value(lost);
	} else if (is_enough(c, leg)) {
		more = false;
	} else if (!packet_from_hex(&p, member(leg, "frame"), &ignored)) {
		c->packets += is_first_leg(leg);
		c->legs++;
		if (c->file)
			write_leg(c, leg, &p);
		else if (c->ctl->json)
			fprintf(c->ctl->screen.out, "%.*s\n", (int)n, line);
		else
			print_leg(&c->ctl->screen, leg, &p);
		more = !is_last(c, leg) && !(c->file && ferror(c->file));
	}
	json_decref(leg);
	return more;
}

static enum ctl_exit run(struct ctl *ctl, struct capture *c, const char *name)
{
	json_t *body = json_pack("{s:s}", strchr(name, '/') ? "server" : "vip", name);
	enum ctl_exit rc;

	catch_signals();
	rc = api_stream(ctl, "POST", "/v1/capture", body, take_line, is_interrupted, c);
	if (!rc || c->legs)
		fprintf(stderr, "%lu packet%s captured, %lld lost on the way here\n", c->packets,
			c->packets == 1 ? "" : "s", (long long)c->lost);
	return rc;
}

enum ctl_exit capture_packets(struct ctl *ctl, char **args)
{
	struct capture c = { .ctl = ctl };
	enum ctl_exit rc;
	int bad;

	if (!ctl->write)
		return run(ctl, &c, args[0]);
	c.file = fopen(ctl->write, "wb");
	if (!c.file) {
		err_set(&ctl->err, 0, "cannot write %s: %s", ctl->write, strerror(errno));
		return errno == EACCES ? CTL_PERMISSION : CTL_NEGATIVE;
	}
	c.pcapng = pcapng_new(c.file);
	rc = run(ctl, &c, args[0]);
	pcapng_free(c.pcapng);
	bad = ferror(c.file);
	if (fclose(c.file) || bad) {
		err_set(&ctl->err, 0, "%s could not be written in full", ctl->write);
		return CTL_NEGATIVE;
	}
	return rc;
}

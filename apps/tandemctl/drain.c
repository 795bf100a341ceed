/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the end of a drain. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "apps/tandemctl/nouns.h"
#include "apps/tandemctl/text.h"
#include "controlplane/conf/units.h"

enum { LOOK_EVERY_MS = 500 };

/* What was shown last: on a terminal it is overwritten, elsewhere only a change is a new line. */
struct progress {
	const struct screen *screen; /* NULL: nothing is shown */
	char *text;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void sleep_ms(uint64_t ms)
{
	const struct timespec ts = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* What is left of the server's flows, in words; to be freed. */
static char *left_text(const json_t *server)
{
	const json_t *records = json_object_get(server, "records");
	json_int_t n = json_integer_value(records),
		   slots = json_integer_value(json_object_get(server, "slots")) +
			   json_integer_value(json_object_get(server, "base_slots"));

	if (!json_is_integer(records))
		return text_printf("live records are not counted yet");
	return text_printf("%lld live record%s left, %lld slot%s may lead older flows to it",
		(long long)n, n == 1 ? "" : "s", (long long)slots, slots == 1 ? "" : "s");
}

static void progress_show(struct progress *p, const char *name, const char *left)
{
	char *line = text_printf("%s: %s", name, left), *text = text_escape(line);
	const struct screen *s = p->screen;
	int width = p->text ? (int)text_width(p->text) : 0;

	free(line);
	if (s && (!p->text || strcmp(p->text, text) != 0)) {
		if (s->terminal)
			fprintf(s->out, "\r%-*s", width, text);
		else
			fprintf(s->out, "%s\n", text);
		fflush(s->out);
	}
	free(p->text);
	p->text = text;
}

static void progress_end(struct progress *p)
{
	if (p->screen && p->screen->terminal && p->text)
		putc('\n', p->screen->out);
	free(p->text);
}

/* The sentence for what else is wanted of the server now. */
static enum ctl_exit not_draining(struct ctl *ctl, const char *name, const char *wanted)
{
	err_set(&ctl->err, 0, "server %s is wanted %s now, not drained: somebody else changed it",
		name, wanted);
	return CTL_CONFLICT;
}

static enum ctl_exit timed_out(struct ctl *ctl, const char *name, const json_t *server)
{
	char limit[CONF_DURATION_TEXT], *left = left_text(server);

	err_set(&ctl->err, 0, "server %s is not drained after %s: %s", name,
		conf_duration_text(ctl->limit_ms, limit), left);
	free(left);
	return CTL_TIMED_OUT;
}

/* Asks until it is over; *answer is the last one. */
static enum ctl_exit watch(
	struct ctl *ctl, const char *name, struct api_answer *answer, struct progress *p)
{
	uint64_t end = now_ms() + ctl->limit_ms;
	enum ctl_exit rc = CTL_OK;

	while (!rc && !json_is_true(json_object_get(answer->json, "drained"))) {
		const char *wanted = json_string_value(json_object_get(answer->json, "wanted"));
		uint64_t now = now_ms(), pause = LOOK_EVERY_MS;
		char *left = left_text(answer->json);

		progress_show(p, name, left);
		free(left);
		if (wanted && strcmp(wanted, "drain") != 0)
			return not_draining(ctl, name, wanted);
		if (ctl->limit_ms && now >= end)
			return timed_out(ctl, name, answer->json);
		if (ctl->limit_ms && end - now < pause)
			pause = end - now;
		sleep_ms(pause);
		api_answer_clear(answer);
		rc = server_get(ctl, name, answer);
	}
	return rc;
}

enum ctl_exit drain_wait(struct ctl *ctl, const char *name, struct api_answer *answer)
{
	struct progress p = { .screen = ctl->json ? NULL : &ctl->screen };
	enum ctl_exit rc = watch(ctl, name, answer, &p);

	if (!rc)
		progress_show(&p, name, "drained");
	progress_end(&p);
	return rc;
}

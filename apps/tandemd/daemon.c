/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemd/daemon.h"
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "apps/shared/notify.h"
#include "controlplane/api/api.h"
#include "controlplane/base/log.h"
#include "controlplane/pools/site.h"

struct daemon {
	const struct args *args;
	struct event_base *base;
	struct site *site;
	struct api *api;
	struct event *term, *interrupt, *hangup;
};

static void on_stop(evutil_socket_t signal_number, short what, void *arg)
{
	struct daemon *d = arg;
	struct site_status status;

	(void)what;
	notify("STOPPING=1");
	site_status(d->site, &status);
	log_info("stopped by %s; %s", strsignal(signal_number),
		status.detached ? "the engine is detached"
				: "packets keep flowing by the last generation (tandemd --detach "
				  "ends that)");
	event_base_loopbreak(d->base);
}

static void log_diags(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->list[i];

		if (g->level == DIAG_ERROR)
			log_error("%s:%d: %s", d->file, g->line, g->message);
		else
			log_warn("%s:%d: %s", d->file, g->line, g->message);
	}
}

static void on_reload(evutil_socket_t signal_number, short what, void *arg)
{
	struct daemon *d = arg;
	struct diags diags = { 0 };
	struct err e = { "" };
	int err = site_apply(d->site, NULL, NULL, &diags, &e);

	(void)signal_number;
	(void)what;
	log_diags(&diags);
	diags_free(&diags);
	if (err)
		log_error("the configuration was not changed: %s", e.text);
}

static int watch_signal(
	struct daemon *d, struct event **out, int number, event_callback_fn fn, struct err *e)
{
	*out = evsignal_new(d->base, number, fn, d);
	return *out && !event_add(*out, NULL) ? 0 : err_set(e, -1, "cannot watch signals");
}

static int watch_signals(struct daemon *d, struct err *e)
{
	int err = watch_signal(d, &d->term, SIGTERM, on_stop, e);

	if (!err)
		err = watch_signal(d, &d->interrupt, SIGINT, on_stop, e);
	return err ? err : watch_signal(d, &d->hangup, SIGHUP, on_reload, e);
}

static int open_site(struct daemon *d, struct err *e)
{
	struct site_options o = {
		.config_path = d->args->config,
		.run_dir = d->args->run_dir,
		.state_dir = d->args->state_dir,
	};
	struct diags diags = { 0 };
	int err = site_new(&d->site, d->base, &o, &diags, e);

	diags_print(&diags, stderr);
	diags_free(&diags);
	return err;
}

static int open_api(struct daemon *d, struct err *e)
{
	char path[PATH_MAX];
	struct api_options o = { .path = path, .group = site_conf(d->site)->api.group };

	snprintf(path, sizeof path, "%s/api.sock", d->args->run_dir);
	return api_new(&d->api, d->base, d->site, &o, e);
}

static void free_event(struct event *ev)
{
	if (ev)
		event_free(ev);
}

int daemon_run(const struct args *a)
{
	struct daemon d = { .args = a, .base = event_base_new() };
	struct err e;
	int rc = 1;

	if (!d.base) {
		log_error("cannot make an event loop");
		return rc;
	}
	signal(SIGPIPE, SIG_IGN);
	if (watch_signals(&d, &e) || open_site(&d, &e) || open_api(&d, &e) ||
		site_start(d.site, &e)) {
		log_error("%s", e.text);
		goto out;
	}
	log_info("tandemd %s is up on %s", TANDEM_VERSION, a->config);
	notify("READY=1");
	if (event_base_dispatch(d.base) < 0)
		log_error("the event loop has failed");
	else
		rc = 0;
out:
	free_event(d.hangup);
	free_event(d.interrupt);
	free_event(d.term);
	api_free(d.api);
	site_free(d.site);
	event_base_free(d.base);
	return rc;
}

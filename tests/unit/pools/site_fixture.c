/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pools/site_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/clock.h"
#include "tests/unit/pools/fake_engine.h"

const char fixture_text[] =
	"node = \"lb-a\";\n"
	"limits: { vips = 8; services = 32; servers = 32; };\n"
	"interfaces: { front: { device = \"lo\"; }; };\n"
	"vips: { web: { address = \"192.0.2.10\"; interface = \"front\"; }; };\n"
	"gateways: { back: { address = \"198.51.100.1\"; interface = \"front\"; }; };\n"
	"pools: {\n"
	"  web: { servers: { web1: { address = \"198.51.100.11\"; };\n"
	"    web2: { address = \"198.51.100.12\"; port = 8080; weight = 5; }; }; };\n"
	"  dns: { servers: { dns1: { address = \"198.51.100.13\"; }; }; };\n"
	"};\n"
	"services: {\n"
	"  web: { vip = \"web\"; port = 80; forward = \"nat\"; pool = \"web\"; };\n"
	"  dns: { vip = \"web\"; protocol = \"udp\"; port = 53; forward = \"dsr\"; pool = \"dns\"; "
	"};\n"
	"};\n";

void fixture_open(struct site_fixture *f)
{
	memset(f, 0, sizeof *f);
	fake_reset();
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(f->dir, "/tmp/tandem-site-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->config, sizeof f->config, "%s/tandem.conf", f->dir);
	snprintf(f->numbers, sizeof f->numbers, "%s/state.json", f->dir);
	snprintf(f->wanted, sizeof f->wanted, "%s/wanted.json", f->dir);
	snprintf(f->seen, sizeof f->seen, "%s/seen.json", f->dir);
	f->base = event_base_new();
	assert_non_null(f->base);
	fixture_write(f, fixture_text);
}

void fixture_write(const struct site_fixture *f, const char *text)
{
	int fd = open(f->config, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

int fixture_start(struct site_fixture *f)
{
	struct site_options o = {
		.config_path = f->config,
		.run_dir = f->dir,
		.state_dir = f->dir,
	};
	int err;

	diags_free(&f->diags);
	memset(&f->diags, 0, sizeof f->diags);
	err = site_new(&f->site, f->base, &o, &f->diags, &f->e);
	if (err) {
		f->site = NULL;
		return err;
	}
	return site_start(f->site, &f->e);
}

void fixture_stop(struct site_fixture *f)
{
	site_free(f->site);
	f->site = NULL;
}

void fixture_close(struct site_fixture *f)
{
	fixture_stop(f);
	diags_free(&f->diags);
	event_base_free(f->base);
	unlink(f->config);
	unlink(f->numbers);
	unlink(f->wanted);
	unlink(f->seen);
	assert_int_equal(rmdir(f->dir), 0);
}

bool fixture_wait(struct site_fixture *f, bool (*done)(void *arg), void *arg)
{
	uint64_t end = clock_ms() + 5000;

	while (!done(arg)) {
		const struct timeval turn = { .tv_usec = 5000 };

		if (clock_ms() > end)
			return false;
		event_base_loopexit(f->base, &turn);
		event_base_dispatch(f->base);
	}
	return true;
}

char *fixture_replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = NULL;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >= 0);
	return out;
}

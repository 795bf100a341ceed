/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/diagnostics.h"
#include "controlplane/conf/conf.h"

#define CONFIG_FILE "/etc/tandem/tandem.conf"

/* The exit code for a file that cannot be used, rc being a negative errno. */
static enum ctl_exit exit_of_file(int rc)
{
	switch (rc) {
	case -ENOENT:
		return CTL_NOT_FOUND;
	case -EACCES:
	case -EPERM:
		return CTL_PERMISSION;
	default:
		return CTL_NEGATIVE;
	}
}

static void check_json(const struct ctl *ctl, bool ok, json_t *diagnostics)
{
	json_t *answer = json_pack("{s:b, s:O}", "ok", ok, "diagnostics", diagnostics);

	json_dumpf(answer, ctl->screen.out, JSON_COMPACT);
	putc('\n', ctl->screen.out);
	json_decref(answer);
}

/* The sentence for a file that is not ok. What kept a file from being read is in its only entry. */
static void check_refused(struct ctl *ctl, const char *file, int rc, const struct diags *d)
{
	if (rc == -EINVAL)
		err_set(&ctl->err, 0, "%s has %zu error%s", file, d->n_errors,
			d->n_errors == 1 ? "" : "s");
	else
		err_set(&ctl->err, 0, "%s: %s", file, d->n ? d->list[0].message : strerror(-rc));
}

static void check_text(const struct ctl *ctl, const char *file, int rc, const json_t *diagnostics)
{
	if (!rc || rc == -EINVAL)
		diagnostics_print(diagnostics, stderr);
	if (!rc)
		fprintf(ctl->screen.out, "%s: ok\n", file);
}

enum ctl_exit config_check(struct ctl *ctl, char **args)
{
	const char *file = args[0] ? args[0] : CONFIG_FILE;
	struct diags d = { 0 };
	struct conf *conf = NULL;
	int rc = conf_load(file, &conf, &d);
	json_t *diagnostics = diagnostics_json(&d);

	if (ctl->json)
		check_json(ctl, !rc, diagnostics);
	else
		check_text(ctl, file, rc, diagnostics);
	if (rc)
		check_refused(ctl, file, rc, &d);
	json_decref(diagnostics);
	conf_free(conf);
	diags_free(&d);
	return rc ? exit_of_file(rc) : CTL_OK;
}

/* {"path": FILE}, absolute since the daemon has another working directory; {} without a file. */
static enum ctl_exit apply_body(struct ctl *ctl, const char *file, json_t **out)
{
	char path[PATH_MAX];

	*out = json_object();
	if (!file)
		return CTL_OK;
	if (!realpath(file, path)) {
		err_set(&ctl->err, 0, "cannot read %s: %s", file, strerror(errno));
		return exit_of_file(-errno);
	}
	if (json_object_set_new(*out, "path", json_string(path))) {
		err_set(&ctl->err, 0, "the name of the file is not UTF-8");
		return CTL_USAGE;
	}
	return CTL_OK;
}

/* Only where the file has changed the engine. */
static void print_changeover(const struct ctl *ctl, const json_t *engine)
{
	const char *from, *to;
	json_int_t records;
	double gap;

	if (!json_unpack((json_t *)engine, "{s:s, s:s, s:I, s:F}", "from", &from, "to", &to,
		    "records", &records, "gap_ms", &gap))
		fprintf(ctl->screen.out,
			"engine: %s -> %s, records carried over: %lld, gap %.1f ms\n", from, to,
			(long long)records, gap);
}

enum ctl_exit config_apply(struct ctl *ctl, char **args)
{
	json_t *body, *reply = NULL;
	enum ctl_exit rc = apply_body(ctl, args[0], &body);

	if (rc) {
		json_decref(body);
		return rc;
	}
	rc = api_call(ctl, "POST", "/v1/config/apply", body, &reply);
	if (!ctl->json) {
		diagnostics_print(json_object_get(reply, "diagnostics"), stderr);
		if (!rc) {
			print_changeover(ctl, json_object_get(reply, "engine"));
			fprintf(ctl->screen.out, "applied as generation %lld\n",
				(long long)json_integer_value(
					json_object_get(reply, "generation")));
		}
	}
	json_decref(reply);
	return rc;
}

enum ctl_exit config_show(struct ctl *ctl, char **args)
{
	const json_t *text;
	json_t *reply;
	enum ctl_exit rc = api_get(ctl, "/v1/config", &reply);

	(void)args;
	text = json_object_get(reply, "text");
	if (!rc && !ctl->json && json_is_string(text))
		screen_raw(&ctl->screen, json_string_value(text), json_string_length(text));
	json_decref(reply);
	return rc;
}

enum ctl_exit config_schema(struct ctl *ctl, char **args)
{
	(void)args;
	conf_schema_print(ctl->screen.out, ctl->json);
	return CTL_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/api/nouns.h"
#include "controlplane/api/values.h"
#include "controlplane/pools/source.h"

void api_config_get(struct call *c)
{
	call_reply(c, json_pack("{s:o, s:o}", "path", value_text(site_config_path(c->site)), "text",
			      value_text(site_config_text(c->site))));
}

void api_config_schema(struct call *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f) {
		conf_schema_print(f, true);
		if (!fclose(f)) {
			call_reply_text(c, text);
			free(text);
			return;
		}
	}
	free(text);
	call_problem(c, 500, "out of memory");
}

/* A member that must be a string where it is given; NULL where it is not. Returns false when it has
 * answered. */
static bool get_string(struct call *c, json_t *body, const char *name, const char **out)
{
	json_t *value = json_object_get(body, name);

	*out = json_string_value(value);
	if (!value || *out)
		return true;
	call_problem(c, 422, "\"%s\" must be a string", name);
	return false;
}

static bool get_path(struct call *c, json_t *body, const char **out)
{
	if (!get_string(c, body, "path", out))
		return false;
	if (!*out || **out == '/')
		return true;
	call_problem(c, 422,
		"\"path\" must be absolute: the daemon does not know your working directory");
	return false;
}

static bool get_caller(struct call *c, struct site_caller *out)
{
	struct ucred peer;
	int err = call_peer(c, &peer);

	if (err) {
		call_problem(c, 500, "cannot tell who is calling: %s", strerror(-err));
		return false;
	}
	*out = (struct site_caller){ .uid = peer.uid, .gid = peer.gid };
	return true;
}

/* Files that the text names are read with the caller's rights. */
static void check_text(
	struct call *c, const char *text, const char *name, const struct site_caller *as)
{
	struct source_reader reader = { as->uid, as->gid };
	const struct conf_files files = { source_read_list, &reader };
	struct diags d = { 0 };
	struct conf *conf;
	int err = conf_parse_with(text, name, &files, &conf, &d);

	if (!err)
		conf_free(conf);
	call_reply(c, json_pack("{s:b, s:o}", "ok", !err, "diagnostics", value_diagnostics(&d)));
	diags_free(&d);
}

static void check_path(struct call *c, const char *path, const struct site_caller *as)
{
	struct err e = { "" };
	char *text;
	int err = source_read(path, as->uid, as->gid, &text, &e);

	if (err) {
		call_problem(c, call_status(err), "%s", e.text);
		return;
	}
	check_text(c, text, path, as);
	free(text);
}

void api_config_check(struct call *c)
{
	static const char *const members[] = { "path", "text", NULL };
	const char *path, *text;
	struct site_caller as;
	json_t *body = call_body(c, members);

	if (body && get_path(c, body, &path) && get_string(c, body, "text", &text) &&
		get_caller(c, &as)) {
		if (!path == !text)
			call_problem(c, 422, "give either \"path\" or \"text\"");
		else if (path)
			check_path(c, path, &as);
		else
			check_text(c, text, "text", &as);
	}
	json_decref(body);
}

/* NULL where there was none. */
static json_t *changeover_value(const struct site_changeover *o)
{
	return o ? json_pack("{s:s, s:s, s:I, s:I, s:f}", "from", site_engine_name(o->from), "to",
			   site_engine_name(o->to), "records", (json_int_t)o->carried.flows,
			   "records_lost", (json_int_t)o->carried.lost, "gap_ms",
			   (double)o->gap_ns / 1e6)
		 : NULL;
}

static void apply_path(struct call *c, const char *path)
{
	struct diags d = { 0 };
	struct site_status status;
	struct site_caller as;
	struct err e = { "" };
	int err;

	if (!get_caller(c, &as))
		return;
	err = site_apply(c->site, path, &as, &d, &e);
	if (err) {
		call_problem_diagnostics(c, call_status(err), value_diagnostics(&d), e.text);
	} else {
		site_status(c->site, &status);
		call_reply(c,
			json_pack("{s:I, s:o*, s:o}", "generation", (json_int_t)status.generation,
				"engine", changeover_value(site_changed_over(c->site)),
				"diagnostics", value_diagnostics(&d)));
	}
	diags_free(&d);
}

void api_config_apply(struct call *c)
{
	static const char *const members[] = { "path", NULL };
	json_t *body = call_body(c, members);
	const char *path;

	if (body && get_path(c, body, &path))
		apply_path(c, path);
	json_decref(body);
}

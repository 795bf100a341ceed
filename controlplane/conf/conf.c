/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/conf.h"
#include <errno.h>
#include <libconfig.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"
#include "controlplane/conf/file.h"
#include "controlplane/conf/memory.h"
#include "controlplane/conf/reader.h"

#define GUESSES 100000 /* keeps "did you mean" under a second whatever the file holds */

void conf_free(struct conf *c)
{
	if (c)
		conf_memory_free(c->memory);
	free(c);
}

static struct conf *conf_new(void)
{
	struct conf *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->memory = conf_memory_new();
	if (c->memory)
		return c;
	free(c);
	return NULL;
}

/* Where libconfig stopped: it knows the line only. What it finds at the end of the text was most often
 * missing long before. */
static int syntax_error(const struct conf_text *t, const config_t *config,
	const struct conf_spot *unclosed, struct diags *d)
{
	struct conf_spot at = { .offset = CONF_NO_COLUMN,
		.line = (uint32_t)config_error_line(config) };
	const char *p = t->bytes, *end = t->bytes + t->size;
	const char *text = config_error_text(config);

	for (uint32_t line = 1; line < at.line && p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		p = eol ? eol + 1 : end;
	}
	at.start = (uint32_t)(p - t->bytes);
	if (p == end && unclosed->line) {
		diags_add(d, DIAG_ERROR, t, unclosed, "syntax error: this \"%c\" is never closed",
			t->bytes[unclosed->offset]);
		return -EINVAL;
	}
	diags_add(d, DIAG_ERROR, t, &at, "%s", text ? text : "syntax error");
	return -EINVAL;
}

/* Reads the settings into c, checks them. */
static int digest(struct conf_tree *t)
{
	int rc;

	t->memory = conf_memory_new();
	if (!t->memory)
		return -ENOMEM;
	rc = conf_read(t);
	if (!rc)
		rc = conf_check(t);
	conf_memory_free(t->memory);
	if (!rc && t->diags->n_errors)
		rc = -EINVAL;
	return rc;
}

static int parse(const struct conf_text *text, const struct conf_places *places,
	const struct conf_files *files, struct conf *c, struct diags *d)
{
	struct conf_tree t = {
		.conf = c, .text = text, .diags = d, .files = files, .guesses = GUESSES
	};
	config_t config;
	int rc;

	config_init(&config);
	/* conf_scan() refuses @include; should one get past it, then it finds no file under this. */
	config_set_include_dir(&config, "/dev/null");
	if (!config_read_string(&config, text->bytes)) {
		rc = syntax_error(text, &config, &places->unclosed, d);
	} else {
		t.root = config_root_setting(&config);
		rc = conf_places_attach(places, text, t.root, d);
		if (!rc)
			rc = digest(&t);
	}
	config_destroy(&config);
	return rc;
}

static int read_text(const struct conf_text *text, const struct conf_files *files,
	struct conf **out, struct diags *d)
{
	struct conf_places places;
	struct conf *c;
	int rc = conf_scan(text, &places, d);

	if (rc)
		return rc;
	c = conf_new();
	rc = c ? parse(text, &places, files, c, d) : -ENOMEM;
	conf_places_free(&places);
	if (rc)
		conf_free(c);
	else
		*out = c;
	return rc;
}

static int read_bytes(const char *bytes, size_t size, const char *name,
	const struct conf_files *files, struct conf **out, struct diags *d)
{
	struct conf_text text = { .name = name };
	int rc = -ENOMEM;
	char *copy;

	if (size > CONF_TEXT_MAX) {
		diags_add(d, DIAG_ERROR, NULL, NULL,
			"is larger than %u MiB: not a configuration file", CONF_TEXT_MAX >> 20);
		return -EFBIG;
	}
	/* libconfig 1.5 knows no comment that ends with the text, hence the newline. */
	copy = malloc(size + 2);
	if (copy) {
		memcpy(copy, bytes, size);
		if (!size || copy[size - 1] != '\n')
			copy[size++] = '\n';
		copy[size] = '\0';
		text.bytes = copy;
		text.size = size;
		rc = read_text(&text, files, out, d);
	}
	free(copy);
	return rc;
}

int conf_parse_bytes(
	const char *bytes, size_t size, const char *name, struct conf **out, struct diags *d)
{
	int rc;

	diags_start(d, name);
	rc = read_bytes(bytes, size, name, NULL, out, d);
	diags_finish(d);
	return rc;
}

int conf_parse_with(const char *text, const char *name, const struct conf_files *files,
	struct conf **out, struct diags *d)
{
	int rc;

	diags_start(d, name);
	rc = read_bytes(text, strlen(text), name, files, out, d);
	diags_finish(d);
	return rc;
}

int conf_parse(const char *text, const char *name, struct conf **out, struct diags *d)
{
	return conf_parse_with(text, name, NULL, out, d);
}

int conf_load(const char *path, struct conf **out, struct diags *d)
{
	const struct conf_files files = { .read = conf_file_read_list };
	char *bytes = NULL;
	size_t size;
	int rc;

	diags_start(d, path);
	rc = conf_file_read(path, CONF_TEXT_MAX, &bytes, &size, d);
	if (!rc)
		rc = read_bytes(bytes, size, path, &files, out, d);
	free(bytes);
	diags_finish(d);
	return rc;
}

const char *conf_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "any";
	}
}

int conf_find_pool(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->n_pools; i++)
		if (!strcmp(c->pools[i].name, name))
			return (int)i;
	return -1;
}

int conf_pool_fallback(const struct conf *c, unsigned pool)
{
	uint32_t next = c->pools[pool].when_empty;

	return next < CONF_EMPTY_RESET ? (int)next : -1;
}

bool conf_pool_reaches(const struct conf *c, unsigned pool, unsigned target)
{
	int p = (int)pool;

	while (p >= 0 && (unsigned)p != target)
		p = conf_pool_fallback(c, (unsigned)p);
	return p >= 0;
}

unsigned conf_pool_servers(const struct conf *c, unsigned pool)
{
	unsigned n = 0;

	for (int p = (int)pool; p >= 0; p = conf_pool_fallback(c, (unsigned)p))
		n += c->pools[p].n_servers;
	return n;
}

int conf_find_service(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->n_services; i++)
		if (!strcmp(c->services[i].name, name))
			return (int)i;
	return -1;
}

int conf_find_vip(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->n_vips; i++)
		if (!strcmp(c->vips[i].name, name))
			return (int)i;
	return -1;
}

int conf_find_server(const struct conf *c, unsigned pool, const char *server)
{
	const struct conf_pool *p = &c->pools[pool];

	for (unsigned i = p->first_server; i < p->first_server + p->n_servers; i++)
		if (!strcmp(c->servers[i].name, server))
			return (int)i;
	return -1;
}

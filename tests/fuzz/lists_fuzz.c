/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of files of prefixes under any bytes: no fault, every mistake has its line, and what it took are prefixes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] =
	"node = \"n\"; interfaces: { i: {}; }; limits: { guard_prefixes = 4194304; };\n"
	"guard: { deny_file = \"/deny\"; allow_file = \"/allow\"; };\n";

struct bytes {
	const uint8_t *data;
	size_t size;
};

static void insist(int holds)
{
	if (!holds)
		abort();
}

/* Both files are the same; their text ends before the first NUL, as files must. */
static int read_bytes(void *arg, const char *path, char **text, struct err *e)
{
	const struct bytes *b = arg;

	(void)path;
	*text = strndup((const char *)b->data, b->size);
	return *text ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static void check_list(const struct conf_list *l)
{
	uint32_t allowed = 0;

	insist(l->only);
	for (uint32_t i = 0; i < l->n; i++) {
		insist(l->prefixes[i].address.af == 4 || l->prefixes[i].address.af == 6);
		insist(l->prefixes[i].plen <= 8 * addr_size(&l->prefixes[i].address));
		allowed += l->prefixes[i].allow;
	}
	insist(2 * allowed == l->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size };
	const struct conf_files files = { .read = read_bytes, .arg = &bytes };
	struct conf *c = NULL;
	struct diags d;
	int rc;

	if (!size)
		return 0;
	rc = conf_parse_with(configuration, "fuzz", &files, &c, &d);
	insist(!rc == !d.n_errors && !rc == !!c);
	for (size_t i = 0; i < d.n; i++)
		insist(d.list[i].message && *d.list[i].message);
	if (c)
		check_list(&c->guard.sources.list);
	conf_free(c);
	diags_free(&d);
	return 0;
}

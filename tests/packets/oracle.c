/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/oracle.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/case.h"
#include "tests/packets/lines.h"

static int answer(const struct body_ops *ops, struct body *body, const struct world_file *world,
	char *question, FILE *out)
{
	static struct body_result result;
	static struct frame frame;
	char *word[3];
	unsigned n = words_split(question, word, 3);
	int i = n == 2 ? world_interface(world, word[0]) : -1, rc;

	frame.len = 0;
	if (i < 0 || (strcmp(word[1], "-") != 0 && !frame_add(&frame, word[1])))
		return -EINVAL;
	rc = ops->inject(body, world->links[i].ifindex, frame.bytes, frame.len, &result);
	if (rc && rc != -EMSGSIZE)
		return rc;
	if (rc) {
		fputs("- - -\n", out);
		return 0;
	}
	fprintf(out, "%s %s ", verdict_name(result.verdict),
		world_interface_name(world, result.ifindex));
	frame_print(out, result.frame, result.len);
	fputc('\n', out);
	return 0;
}

int oracle_run(const struct body_ops *ops, const struct world_file *world, FILE *in, FILE *out,
	struct err *e)
{
	struct body *body;
	char *line = NULL;
	size_t room = 0;
	int rc = ops->open(&body, &world->world, e);

	if (rc)
		return rc;
	while (!rc && getline(&line, &room, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		rc = answer(ops, body, world, line, out);
		fflush(out);
	}
	if (rc)
		err_set(e, rc, "%s: %s", ops->name, strerror(-rc));
	free(line);
	ops->close(body);
	return rc;
}

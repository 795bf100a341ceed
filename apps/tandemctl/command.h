/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands, and what follows from it: look-up, help, "did you mean". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "apps/tandemctl/ctl.h"

struct command {
	const char *noun;
	const char *verb;  /* NULL: the noun says it all */
	const char *usage; /* the arguments, as written in a synopsis */
	int least, most;   /* how many arguments */
	bool takes_why, takes_wait, takes_frame, takes_write;
	const char *help; /* one line */
	const char *more; /* a paragraph for `tandemctl help NOUN VERB`, or NULL */
	command_fn *run;
};

extern const struct command commands[];
extern const size_t n_commands;

/* Finds the command that `words` (ended by NULL) begin with, and sets *args to the first word behind its
 * name. Returns NULL with a sentence in e when there is none, or when the number of arguments is wrong. */
const struct command *command_find(char **words, char ***args, struct err *e);

/* Prints help for all commands, for those of the noun words[0], or for one command. Returns CTL_OK, or
 * CTL_USAGE with a sentence in ctl->err for unknown words. */
command_fn command_help;

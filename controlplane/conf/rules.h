/* SPDX-License-Identifier: BSD-2-Clause */
/* What strings of the configuration may hold. */
#pragma once

/* Each returns NULL when the text is allowed; otherwise the rest of a sentence that begins with the
 * value and "must": "be …". */
const char *conf_rule_node(const char *text);
const char *conf_rule_device(const char *text);
const char *conf_rule_port(const char *text);
const char *conf_rule_group(const char *text);
const char *conf_rule_file(const char *text);
const char *conf_rule_path(const char *text);
const char *conf_rule_host(const char *text);
const char *conf_rule_body(const char *text);

/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct evhttp_request;
struct site;

/* Finds the handler of a request by its path and method, and has it answer; or answers 404 or 405. */
void routes_dispatch(struct site *site, struct evhttp_request *req);

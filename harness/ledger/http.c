/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any API over HTTP, by templates; etcd's gateway is the example. */
#include "ledger/ledger.h"

struct args {
    struct text write_url, write_body, read_url, read_body;
    int write_method, read_method;
    struct name list, id, times;
    bool base64;
};

enum { METHOD_POST, METHOD_PUT, METHOD_GET };
static const char *const methods[] = {"POST", "PUT", "GET", NULL};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, write_url, .required = true, .min = 1, .max = 2048,
      .doc = "Where a write goes; ${host} and ${host.ip} are the host's. In this and the other "
             "three, {id} is the write's number, {key} a text of its own that ends with it, "
             "{prefix} what all keys of this ledger begin with, {end} the first text behind all of "
             "them; {key64}, {prefix64}, {end64} are the same in base64."),
    P(struct args, PARAM_ENUM, write_method, .def = "POST", .choices = methods, .doc = "How."),
    P(struct args, PARAM_TEXT, write_body, .max = 8192, .doc = "What is sent."),
    P(struct args, PARAM_TEXT, read_url, .required = true, .min = 1, .max = 2048,
      .doc = "Where all is read back."),
    P(struct args, PARAM_ENUM, read_method, .def = "GET", .choices = methods, .doc = "How."),
    P(struct args, PARAM_TEXT, read_body, .max = 8192, .doc = "What is sent."),
    P(struct args, PARAM_NAME, list,
      .doc = "The member of the JSON answer that is the list; a dot leads into an object. Without "
             "it the answer itself is the list."),
    P(struct args, PARAM_NAME, id,
      .doc =
          "The member of each item that is, or ends with, the number. Without it the item itself."),
    P(struct args, PARAM_NAME, times,
      .doc = "The member of each item that says how often it was written, so that duplicates show "
             "(etcd: version)."),
    P(struct args, PARAM_BOOL, base64, .def = "false", .doc = "The id is in base64."),
};

const struct ledger_kind ledger_http = {
    .name = "http",
    .summary = "Any API over HTTP that takes JSON or parameters and lists what it has as JSON.",
    .doc = "2xx acknowledges; 4xx refuses, so that the write must not be there; anything else, "
           "once the request was sent, is "
           "unknown. A host that cannot be reached is left for the next one. All must be readable "
           "in one answer.",
    .example = "orders:\n  kind: http\n  hosts: {label: member}\n  write_url: "
               "http://${host}:2379/v3/kv/put\n"
               "  write_body: '{\"key\": \"{key64}\", \"value\": \"MQ==\"}'\n"
               "  read_url: http://${host}:2379/v3/kv/range\n  read_method: POST\n"
               "  read_body: '{\"key\": \"{prefix64}\", \"range_end\": \"{end64}\", \"keys_only\": "
               "true}'\n"
               "  list: kvs\n  id: key\n  times: version\n  base64: true\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
};

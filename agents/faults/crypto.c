/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/crypto.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#define LIBRARY "libcrypto.so.3"

static const char *const names[] = {
#define F(function) #function,
    CRYPTO_FUNCTIONS(F)
#undef F
};
enum { N_FUNCTIONS = sizeof(names) / sizeof(names[0]) };
_Static_assert(sizeof(struct crypto) == N_FUNCTIONS * sizeof(void *), "nothing but pointers");

const struct crypto *crypto_load(struct err *err)
{
    static struct crypto loaded;
    static bool is_loaded;
    void *at[N_FUNCTIONS];
    if (is_loaded)
        return &loaded;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)make_error(err, ERR_UNSUPPORTED, 0, "certificates need %s: %s", LIBRARY, dlerror());
        return NULL;
    }
    for (size_t i = 0; i < N_FUNCTIONS; i++) {
        at[i] = dlsym(library, names[i]);
        if (at[i] == NULL) {
            (void)make_error(err, ERR_UNSUPPORTED, 0, "%s has no %s", LIBRARY, names[i]);
            (void)dlclose(library);
            return NULL;
        }
    }
    memcpy(&loaded, at, sizeof(loaded)); /* as POSIX has it for dlsym() */
    is_loaded = true;
    return &loaded;
}

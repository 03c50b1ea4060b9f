/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's clock is stepped while a fault is on: neither the fault's end nor what is measured
 * may move with it. */
#include "lab/netfault.h"
#include "vm/guest.h"

#include <time.h>

static void step_hours(int hours)
{
    struct timespec now;
    CU_ASSERT_EQUAL(clock_gettime(CLOCK_REALTIME, &now), 0);
    now.tv_sec += hours * 3600L;
    CU_ASSERT_EQUAL_FATAL(clock_settime(CLOCK_REALTIME, &now), 0);
}

static int64_t healed_after(int64_t since, int64_t limit_ms)
{
    int64_t ms = 0;
    while (ms <= limit_ms) {
        if (netfault_from_b(NETNS_A_FOR_B) == 1)
            return ms;
        ms = (netfault_now() - since) / NS_PER_MS;
    }
    return -1;
}

static void test_a_lease_ignores_steps(void)
{
    for (int hours = -1; hours <= 1; hours += 2) {
        struct undo undo;
        struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
        CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 1500, &undo), 0);
        int64_t applied = netfault_now();
        step_hours(hours);
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
        CU_ASSERT_TRUE(netfault_active(&undo));
        int64_t ms = healed_after(applied, 10000);
        (void)printf("\n    figure: clock stepped by %+d h: a lease of 1500 ms ended after %lld ms",
                     hours, (long long)ms);
        CU_ASSERT_TRUE(ms >= 1300 && ms < 4000);
        CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
        step_hours(-hours);
    }
    (void)printf("\n    ");
}

static const struct check_test tests[] = {
    {"a lease ignores steps of the clock", test_a_lease_ignores_steps},
};

int main(void)
{
    if (!guest_is_here()) {
        (void)fprintf(stderr, "runs only in the guest: tests/vm/boot.sh\n");
        return 2;
    }
    return netfault_main("vm/clock", tests, 1);
}

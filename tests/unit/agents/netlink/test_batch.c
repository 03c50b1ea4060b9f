/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A batch that does not fit says so; walks over attributes stay inside their message. */
#include "agents/netlink/attr.h"
#include "agents/netlink/nftbatch.h"
#include "agents/netlink/nftrule.h"
#include "check.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

static void test_what_does_not_fit(void)
{
    static char data[20000];
    static struct addrs addrs = {.n = ADDRS_MAX};
    struct nftbatch b;
    for (uint32_t i = 0; i < addrs.n; i++)
        addrs.a[i] = (struct addr){.family = 6, .prefix = 128};
    nftbatch_begin(&b, data, sizeof(data), 1, NFPROTO_NETDEV, "t");
    nftbatch_add_table(&b);
    nftbatch_add_addrs(&b, "s", &addrs, 6, false);
    CU_ASSERT_TRUE(b.full);
    CU_ASSERT_TRUE(b.len <= sizeof(data));
    CU_ASSERT_FALSE(nftbatch_end(&b));
    nftbatch_begin(&b, data, sizeof(data), 1, NFPROTO_NETDEV, "t");
    for (int i = 0; i < NFTBATCH_MESSAGES + 5; i++)
        nftbatch_delete_set(&b, "s");
    CU_ASSERT_FALSE(nftbatch_end(&b));
}

/* The largest request has room: both families, prefixes, ports, both directions. */
static void test_the_largest_fits(void)
{
    static char data[NFTBATCH_BYTES];
    static struct addrs addrs = {.n = ADDRS_MAX};
    static struct nft_devices devices = {.n = NFT_DEVICES_MAX};
    static struct ports ports = {.n = PORTS_MAX};
    struct nftbatch b;
    for (uint32_t i = 0; i < addrs.n; i++)
        addrs.a[i] = (struct addr){.family = i == 0 ? 4 : 6,
                                   .prefix = i == 0 ? 32 : 120,
                                   .ip = {0xfd, [13] = (uint8_t)(i >> 8), [14] = (uint8_t)i}};
    for (uint32_t i = 0; i < devices.n; i++)
        memset(devices.name[i], 'e', IFNAMSIZ - 1);
    for (uint32_t i = 0; i < ports.n; i++)
        ports.r[i] = (struct port_range){(uint16_t)(10 * i + 1), (uint16_t)(10 * i + 3)};
    struct nft_injection in = {.id = "an-injection-whose-name-is-long-",
                               .devices = &devices,
                               .peers = &addrs,
                               .ports = &ports,
                               .in = true,
                               .out = true,
                               .share = 1,
                               .on_out = {.verdict = NFT_FORWARD, .link = 1},
                               .lease_ms = 1};
    nftbatch_begin(&b, data, sizeof(data), 1, NFPROTO_NETDEV,
                   "blackstart-a-run-whose-name-is-long");
    nftbatch_add_table(&b);
    nftrule_add(&b, &in, NFT_QUEUE_NATIVE);
    CU_ASSERT_TRUE(nftbatch_end(&b));
    printf("figure: the largest batch has %zu bytes in %u messages\n", b.len, b.n);
    /* Every list of elements is an attribute: its length must not have wrapped at 64 kB. */
    unsigned messages = 0;
    for (size_t at = 0; at < b.len; messages++) {
        const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)(data + at);
        const char *end = (const char *)nlh + sizeof(*nlh) + sizeof(struct nfgenmsg);
        ATTR_EACH_OF (attr, nlh, sizeof(struct nfgenmsg))
            end = (const char *)attr_next(attr);
        CU_ASSERT_TRUE(end >= (const char *)attr_message_end(nlh));
        at += ATTR_ALIGN(nlh->nlmsg_len);
    }
    CU_ASSERT_EQUAL(messages, b.n);
    CU_ASSERT_STRING_EQUAL(nftbatch_what(&b, 2), "add table");
    CU_ASSERT_STRING_EQUAL(nftbatch_what(&b, 9999), "the batch");
}

static unsigned walk(const void *data)
{
    unsigned n = 0;
    ATTR_EACH_OF (attr, (const struct nlmsghdr *)data, 0)
        n++;
    return n;
}

static void test_walks_stay_inside(void)
{
    struct {
        struct nlmsghdr nlh;
        struct nlattr a, b;
    } m = {.nlh = {.nlmsg_len = sizeof(m)}, .a = {4, 1}, .b = {4, 2}};
    CU_ASSERT_EQUAL(walk(&m), 2);
    CU_ASSERT_PTR_EQUAL(attr_find_of(&m.nlh, 0, 2), &m.b);
    CU_ASSERT_PTR_NULL(attr_find_of(&m.nlh, 0, 3));
    m.b.nla_len = 8; /* beyond the message */
    CU_ASSERT_EQUAL(walk(&m), 1);
    m.b.nla_len = 0; /* would never end */
    CU_ASSERT_EQUAL(walk(&m), 1);
    m.a.nla_len = 3;
    CU_ASSERT_EQUAL(walk(&m), 0);
    m.a.nla_len = UINT16_MAX;
    CU_ASSERT_EQUAL(walk(&m), 0);
    m.a.nla_len = 5; /* its padding swallows the next one's place */
    CU_ASSERT_EQUAL(walk(&m), 1);
    m.nlh.nlmsg_len = sizeof(m.nlh) + 2;
    CU_ASSERT_EQUAL(walk(&m), 0);
}

static const struct check_test tests[] = {
    {"what does not fit", test_what_does_not_fit},
    {"the largest fits", test_the_largest_fits},
    {"walks stay inside their message", test_walks_stay_inside},
};

CHECK_MAIN("netlink/batch", tests)

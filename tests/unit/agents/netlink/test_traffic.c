/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nfttraffic.h"
#include "check.h"

#include <stdlib.h>

static struct addrs peers[2];
static struct ports ports[2];
static struct nft_injection ours, theirs;

/* Both: what everyone sends to this host. */
static void begin(void)
{
    struct nft_injection *both[] = {&ours, &theirs};
    for (int i = 0; i < 2; i++) {
        peers[i].n = 0;
        ports[i].n = 0;
        *both[i] = (struct nft_injection){.peers = &peers[i], .ports = &ports[i], .in = true};
    }
}

static void expect(bool meet)
{
    struct nft_traffic *t = nfttraffic_copy(&ours), *back = nfttraffic_copy(&theirs);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL(nfttraffic_meets(t, &theirs), meet);
    CU_ASSERT_EQUAL(nfttraffic_meets(back, &ours), meet);
    free(t);
    free(back);
}

static void add_peer(int i, const char *text)
{
    struct err err;
    CU_ASSERT_EQUAL(addr_parse(text, &peers[i].a[peers[i].n++], &err), 0);
}

static void test_directions_and_families(void)
{
    begin();
    expect(true);
    theirs.in = false;
    theirs.out = true;
    expect(false);
    begin();
    ours.family = 4;
    expect(true);
    theirs.family = 6;
    expect(false);
}

static void test_peers(void)
{
    begin();
    add_peer(0, "10.1.0.0/23");
    expect(true); /* with everyone */
    add_peer(1, "10.1.2.1");
    expect(false);
    add_peer(1, "10.1.1.255");
    expect(true);
    begin();
    add_peer(0, "fd00::1");
    add_peer(1, "fd00::2");
    add_peer(1, "10.1.1.1");
    expect(false);
    add_peer(1, "fd00::/64");
    expect(true);
    begin();
    add_peer(0, "0.0.0.0/0");
    add_peer(1, "203.0.113.7");
    expect(true);
}

static void test_ports_and_protocols(void)
{
    begin();
    ports[0] = (struct ports){.n = 2, .r = {{80, 80}, {8000, 8999}}};
    expect(true); /* with all */
    ports[1] = (struct ports){.n = 1, .r = {{81, 7999}}};
    expect(false);
    ports[1].r[0].hi = 8000;
    expect(true);
    theirs.protocol = NFT_PROTO_UDP;
    expect(true);
    ours.protocol = NFT_PROTO_TCP;
    expect(false);
    begin();
    ours.protocol = NFT_PROTO_ICMP;
    expect(true);
    ports[1] = (struct ports){.n = 1, .r = {{80, 80}}};
    expect(false);
}

static const struct check_test tests[] = {
    {"directions and families", test_directions_and_families},
    {"peers", test_peers},
    {"ports and protocols", test_ports_and_protocols},
};

CHECK_MAIN("netlink/traffic", tests)

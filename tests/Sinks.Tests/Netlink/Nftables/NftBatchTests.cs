using ConntrackStream.Sinks.Netlink.Nftables;

namespace ConntrackStream.Sinks.Tests.Netlink.Nftables;

/// <summary>Transactions byte by byte, in the layout that <c>nft</c> itself sends.</summary>
public sealed class NftBatchTests
{
    [Fact]
    public void An_owned_table_with_a_chain_without_hook_and_a_ct_rule()
    {
        NftBatch batch = new(new byte[512]);
        batch.AddOwnedTable("x");
        batch.AddChain("x", "c");
        batch.AddRule("x", "c", static (ref rule) => rule.LoadCtState());

        Assert.Equal(
            Bytes(
                "14000000 1000 0100 01000000 00000000 00 00 000a", // NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST; res_id NFNL_SUBSYS_NFTABLES
                "24000000 000a 0506 02000000 00000000 01 00 0000", // NFT_MSG_NEWTABLE, REQUEST|ACK|EXCL|CREATE; NFPROTO_INET
                "0600 0100 78000000", // NFTA_TABLE_NAME "x"
                "0800 0200 00000002", // NFTA_TABLE_FLAGS NFT_TABLE_F_OWNER
                "24000000 030a 0504 03000000 00000000 01 00 0000", // NFT_MSG_NEWCHAIN, REQUEST|ACK|CREATE
                "0600 0100 78000000", // NFTA_CHAIN_TABLE
                "0600 0300 63000000", // NFTA_CHAIN_NAME "c"
                "48000000 060a 050c 04000000 00000000 01 00 0000", // NFT_MSG_NEWRULE, REQUEST|ACK|CREATE|APPEND
                "0600 0100 78000000", // NFTA_RULE_TABLE
                "0600 0200 63000000", // NFTA_RULE_CHAIN
                "2400 0480", // NFTA_RULE_EXPRESSIONS, nested
                "2000 0180", // NFTA_LIST_ELEM, nested
                "0700 0100 63740000", // NFTA_EXPR_NAME "ct"
                "1400 0280", // NFTA_EXPR_DATA, nested
                "0800 0100 00000001", // NFTA_CT_DREG NFT_REG_1
                "0800 0200 00000000", // NFTA_CT_KEY NFT_CT_STATE
                "14000000 1100 0100 05000000 00000000 00 00 000a"), // NFNL_MSG_BATCH_END
            batch.End().ToArray());
    }

    [Fact]
    public void A_nat_chain_has_its_hook_and_priority()
    {
        NftBatch batch = new(new byte[512]);
        batch.AddChain("x", "d", NftHook.DestinationNat);

        Assert.Equal(
            Bytes(
                "40000000 030a 0504 02000000 00000000 01 00 0000", // NFT_MSG_NEWCHAIN
                "0600 0100 78000000", // NFTA_CHAIN_TABLE
                "0600 0300 64000000", // NFTA_CHAIN_NAME "d"
                "0800 0700 6e617400", // NFTA_CHAIN_TYPE "nat"
                "1400 0480", // NFTA_CHAIN_HOOK, nested
                "0800 0100 00000000", // NFTA_HOOK_HOOKNUM NF_INET_PRE_ROUTING
                "0800 0200 ffffff9c"), // NFTA_HOOK_PRIORITY -100
            batch.End()[20..^20].ToArray());
    }

    [Fact]
    public void A_set_whose_members_expire_and_a_member()
    {
        NftBatch batch = new(new byte[512]);
        batch.AddTimeoutSet("x", "s", keyType: 7, keyLength: 4, id: 1);
        batch.ChangeElements(12, "x", "s", 1, 4, TimeSpan.FromSeconds(1), static (_, key) => key[3] = 9);

        Assert.Equal(
            Bytes(
                "44000000 090a 0504 02000000 00000000 01 00 0000", // NFT_MSG_NEWSET
                "0600 0100 78000000", // NFTA_SET_TABLE
                "0600 0200 73000000", // NFTA_SET_NAME
                "0800 0300 00000010", // NFTA_SET_FLAGS NFT_SET_TIMEOUT
                "0800 0400 00000007", // NFTA_SET_KEY_TYPE
                "0800 0500 00000004", // NFTA_SET_KEY_LEN
                "0800 0a00 00000001", // NFTA_SET_ID
                "44000000 0c0a 0504 03000000 00000000 01 00 0000", // NFT_MSG_NEWSETELEM
                "0600 0100 78000000", // NFTA_SET_ELEM_LIST_TABLE
                "0600 0200 73000000", // NFTA_SET_ELEM_LIST_SET
                "2000 0380", // NFTA_SET_ELEM_LIST_ELEMENTS, nested
                "1c00 0180", // NFTA_LIST_ELEM, nested
                "0c00 0180", // NFTA_SET_ELEM_KEY, nested
                "0800 0100 00000009", // NFTA_DATA_VALUE
                "0c00 0400 00000000 000003e8"), // NFTA_SET_ELEM_TIMEOUT, ms
            batch.End()[20..^20].ToArray());
    }

    private static byte[] Bytes(params string[] rows) =>
        Convert.FromHexString(string.Concat(rows).Replace(" ", "", StringComparison.Ordinal));
}

using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Netlink.NfTables;

namespace ConntrackStream.Service.Network;

/// <summary>Writes the expressions of one rule (<see cref="NftExpressions"/>), in the order of their evaluation.</summary>
internal delegate void RuleBody(ref RequestWriter rule);

/// <summary>One nf_tables transaction on tables of family <c>inet</c>: all of it takes effect, or nothing.</summary>
internal ref struct NftBatch
{
    private RequestWriter _writer;
    private uint _sequence;

    /// <param name="buffer">Holds the whole transaction; about 100 bytes a table or chain and 500 a rule.</param>
    internal NftBatch(Span<byte> buffer)
    {
        _writer = new RequestWriter(buffer);
        Mark(NFNL_MSG_BATCH_BEGIN);
    }

    /// <summary>A table that belongs to the socket that sends this: nobody else can change it, and it goes when the socket closes.</summary>
    internal void AddOwnedTable(string table)
    {
        Begin(NFT_MSG_NEWTABLE, Nlmsg.NLM_F_EXCL);
        _writer.PutString(NFTA_TABLE_NAME, table);
        _writer.PutU32(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
        _writer.EndMessage();
    }

    /// <summary>A chain; without a <paramref name="hook"/> no packet ever enters it.</summary>
    internal void AddChain(string table, string chain, NatHook? hook = null)
    {
        Begin(NFT_MSG_NEWCHAIN);
        _writer.PutString(NFTA_CHAIN_TABLE, table);
        _writer.PutString(NFTA_CHAIN_NAME, chain);
        if (hook is { } at)
        {
            _writer.PutString(NFTA_CHAIN_TYPE, "nat");
            int nest = _writer.BeginNest(NFTA_CHAIN_HOOK);
            _writer.PutU32(NFTA_HOOK_HOOKNUM, at.Number);
            _writer.PutU32(NFTA_HOOK_PRIORITY, (uint)at.Priority);
            _writer.EndNest(nest);
        }

        _writer.EndMessage();
    }

    /// <summary>A rule at the end of a chain.</summary>
    internal void AddRule(string table, string chain, RuleBody body)
    {
        Begin(NFT_MSG_NEWRULE, NLM_F_APPEND);
        _writer.PutString(NFTA_RULE_TABLE, table);
        _writer.PutString(NFTA_RULE_CHAIN, chain);
        int nest = _writer.BeginNest(NFTA_RULE_EXPRESSIONS);
        body(ref _writer);
        _writer.EndNest(nest);
        _writer.EndMessage();
    }

    /// <summary>Commits the transaction; the batch cannot be used again.</summary>
    /// <returns>The first failure; none when it has taken effect.</returns>
    internal ErrorMessage Commit(NetlinkSocket socket) => KernelRequest.Exchange(socket, End());

    /// <summary>The finished transaction.</summary>
    internal ReadOnlySpan<byte> End()
    {
        Mark(NFNL_MSG_BATCH_END);
        return _writer.Written;
    }

    private void Begin(byte message, int flags = 0) => _writer.BeginNetfilter(
        Nfnl.MessageType(NFNL_SUBSYS_NFTABLES, message), Nlmsg.NLM_F_ACK | Nlmsg.NLM_F_CREATE | flags, ++_sequence, NFPROTO_INET);

    private void Mark(ushort type)
    {
        _writer.BeginMessage(type, 0, ++_sequence);
        BinaryPrimitives.WriteUInt16BigEndian(_writer.Take(Nfnl.HeaderLength)[2..], NFNL_SUBSYS_NFTABLES); // nfgenmsg.res_id
        _writer.EndMessage();
    }
}

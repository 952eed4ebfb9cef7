using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Netlink.Nftables;

/// <summary>Writes the expressions of one rule (<see cref="NftExpressions"/>), in the order of their evaluation.</summary>
internal delegate void RuleBody(ref RequestWriter rule);

/// <summary>Writes the key of one element of several, by its number, into zeroed space.</summary>
internal delegate void ElementKey(int index, Span<byte> key);

/// <summary>One nf_tables transaction on tables of family <c>inet</c>: all of it takes effect, or nothing.</summary>
internal ref struct NftBatch
{
    /// <summary>Elements in one message: attributes are shorter than 64 KiB, and a failed message comes back whole.</summary>
    internal const int MostElements = 128;

    private RequestWriter _writer;
    private uint _sequence;

    /// <param name="buffer">Holds the whole transaction; about 100 bytes a table or chain and 500 a rule.</param>
    internal NftBatch(Span<byte> buffer)
    {
        _writer = new RequestWriter(buffer);
        Mark(NFNL_MSG_BATCH_BEGIN);
    }

    /// <summary>
    /// A table that belongs to the socket that sends this: no other process can change it, and it goes when the socket closes.
    /// </summary>
    internal void AddOwnedTable(string table)
    {
        Begin(NFT_MSG_NEWTABLE, Nlmsg.NLM_F_EXCL);
        _writer.PutString(NFTA_TABLE_NAME, table);
        _writer.PutU32(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
        _writer.EndMessage();
    }

    /// <summary>A chain; without a <paramref name="hook"/> no packet ever enters it.</summary>
    internal void AddChain(string table, string chain, NftHook? hook = null)
    {
        Begin(NFT_MSG_NEWCHAIN);
        _writer.PutString(NFTA_CHAIN_TABLE, table);
        _writer.PutString(NFTA_CHAIN_NAME, chain);
        if (hook is { } at)
        {
            _writer.PutString(NFTA_CHAIN_TYPE, at.Type);
            int nest = _writer.BeginNest(NFTA_CHAIN_HOOK);
            _writer.PutU32(NFTA_HOOK_HOOKNUM, at.Number);
            _writer.PutU32(NFTA_HOOK_PRIORITY, (uint)at.Priority);
            _writer.EndNest(nest);
        }

        _writer.EndMessage();
    }

    /// <summary>A hash set whose members expire, each after its own time.</summary>
    /// <param name="keyType">The fields' types in nft's own numbers, six bits each: for <c>nft list</c>,
    /// the kernel does not look at it.</param>
    /// <param name="keyLength">Bytes; each field of a concatenation is padded to four.</param>
    /// <param name="id">Another one for each set of the transaction.</param>
    internal void AddTimeoutSet(string table, string set, uint keyType, int keyLength, uint id)
    {
        Begin(NFT_MSG_NEWSET);
        _writer.PutString(NFTA_SET_TABLE, table);
        _writer.PutString(NFTA_SET_NAME, set);
        _writer.PutU32(NFTA_SET_FLAGS, NFT_SET_TIMEOUT);
        _writer.PutU32(NFTA_SET_KEY_TYPE, keyType);
        _writer.PutU32(NFTA_SET_KEY_LEN, (uint)keyLength);
        _writer.PutU32(NFTA_SET_ID, id);
        _writer.EndMessage();
    }

    /// <summary>Adds members to a set, or with NFT_MSG_DELSETELEM removes them. A member that is added twice stays as it was.</summary>
    /// <param name="message">NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM.</param>
    /// <param name="count">At most <see cref="MostElements"/>.</param>
    /// <param name="keyLength">The set's.</param>
    /// <param name="timeout">How long they stay; null for removing.</param>
    /// <param name="putKey">Writes the key of one of them, by its number.</param>
    internal void ChangeElements(byte message, string table, string set, int count, int keyLength, TimeSpan? timeout, ElementKey putKey)
    {
        Begin(message);
        _writer.PutString(NFTA_SET_ELEM_LIST_TABLE, table);
        _writer.PutString(NFTA_SET_ELEM_LIST_SET, set);
        int elements = _writer.BeginNest(NFTA_SET_ELEM_LIST_ELEMENTS);
        for (int i = 0; i < count; i++)
        {
            int element = _writer.BeginNest(NFTA_LIST_ELEM);
            int key = _writer.BeginNest(NFTA_SET_ELEM_KEY);
            putKey(i, _writer.Put(NFTA_DATA_VALUE, keyLength));
            _writer.EndNest(key);
            if (timeout is { } time)
                BinaryPrimitives.WriteUInt64BigEndian(_writer.Put(NFTA_SET_ELEM_TIMEOUT, sizeof(ulong)), (ulong)time.TotalMilliseconds);
            _writer.EndNest(element);
        }

        _writer.EndNest(elements);
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

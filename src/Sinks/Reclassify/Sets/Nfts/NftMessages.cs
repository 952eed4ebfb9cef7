using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>Requests to nf_tables. <see cref="MaxLength"/> holds each of them.</summary>
internal static class NftMessages
{
    internal const int MaxLength = 1024; // two names of 255 bytes and a key

    internal static byte FamilyNumber(string family) => family switch
    {
        "ip" => NFPROTO_IPV4,
        "ip6" => NFPROTO_IPV6,
        _ => NFPROTO_INET,
    };

    internal static ReadOnlySpan<byte> GetSet(Span<byte> buffer, uint sequence, SetName set)
    {
        RequestWriter writer = new(buffer);
        Begin(ref writer, NFT_MSG_GETSET, Nlmsg.NLM_F_ACK, sequence, set);
        writer.EndMessage();
        return writer.Written;
    }

    internal static ReadOnlySpan<byte> Dump(Span<byte> buffer, uint sequence, SetName set)
    {
        RequestWriter writer = new(buffer);
        Begin(ref writer, NFT_MSG_GETSETELEM, Nlmsg.NLM_F_DUMP, sequence, set);
        writer.EndMessage();
        return writer.Written;
    }

    /// <summary>Asks for the member that matches a key.</summary>
    /// <param name="key">Null: the member that matches all that no other does (<c>*</c>).</param>
    internal static ReadOnlySpan<byte> Get(Span<byte> buffer, uint sequence, SetName set, NftKey? key, ReadOnlySpan<UInt128> values)
    {
        RequestWriter writer = new(buffer);
        Begin(ref writer, NFT_MSG_GETSETELEM, Nlmsg.NLM_F_ACK, sequence, set);
        int elements = writer.BeginNest(NFTA_SET_ELEM_LIST_ELEMENTS);
        int element = writer.BeginNest(NFTA_LIST_ELEM);
        if (key is null)
        {
            writer.PutU32(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_CATCHALL);
        }
        else
        {
            int data = writer.BeginNest(NFTA_SET_ELEM_KEY);
            key.Write(values, writer.Put(NFTA_DATA_VALUE, key.Length));
            writer.EndNest(data);
        }

        writer.EndNest(element);
        writer.EndNest(elements);
        writer.EndMessage();
        return writer.Written;
    }

    private static void Begin(ref RequestWriter writer, byte message, int flags, uint sequence, SetName set)
    {
        writer.BeginNetfilter(Nfnl.MessageType(NFNL_SUBSYS_NFTABLES, message), flags, sequence, FamilyNumber(set.Family));
        writer.PutString(NFTA_SET_TABLE, set.Table); // also NFTA_SET_ELEM_LIST_TABLE
        writer.PutString(NFTA_SET_NAME, set.Name); // also NFTA_SET_ELEM_LIST_SET
    }
}

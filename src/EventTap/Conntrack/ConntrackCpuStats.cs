using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// struct ip_conntrack_stat of one CPU, counted since boot; they wrap at 2^32. Null where this kernel does not report it.
/// </summary>
public readonly record struct ConntrackCpuStats
{
    /// <summary>The CPU's number (nfgenmsg.res_id).</summary>
    public int Cpu { get; private init; }

    /// <summary>Lookups (CTA_STATS_SEARCHED, until 4.9).</summary>
    public uint? Searched { get; private init; }

    /// <summary>Lookups that found an entry (CTA_STATS_FOUND).</summary>
    public uint? Found { get; private init; }

    /// <summary>Entries that were added (CTA_STATS_NEW, until 4.9).</summary>
    public uint? New { get; private init; }

    /// <summary>Packets that could not be tracked (CTA_STATS_INVALID).</summary>
    public uint? Invalid { get; private init; }

    /// <summary>Packets that were tracked already (CTA_STATS_IGNORE, until 5.10).</summary>
    public uint? Ignore { get; private init; }

    /// <summary>Entries that were removed (CTA_STATS_DELETE, until 4.9).</summary>
    public uint? Delete { get; private init; }

    /// <summary>Entries that were put on the dying list (CTA_STATS_DELETE_LIST, until 4.9).</summary>
    public uint? DeleteList { get; private init; }

    /// <summary>Entries that a request put into the table (CTA_STATS_INSERT).</summary>
    public uint? Insert { get; private init; }

    /// <summary>A new entry's tuple was taken already, or its hash chain too long.</summary>
    public uint? InsertFailed { get; private init; } // CTA_STATS_INSERT_FAILED

    /// <summary>Packets dropped because no entry could be made: the table is full, or memory was short.</summary>
    public uint? Drop { get; private init; } // CTA_STATS_DROP

    /// <summary>Entries pushed out early to make room in a full table.</summary>
    public uint? EarlyDrop { get; private init; } // CTA_STATS_EARLY_DROP

    /// <summary>ICMP errors that belong to no flow, and packets that could not be read (CTA_STATS_ERROR).</summary>
    public uint? Error { get; private init; }

    /// <summary>Lookups that began again, since the hash table was resized meanwhile (CTA_STATS_SEARCH_RESTART).</summary>
    public uint? SearchRestart { get; private init; }

    /// <summary>Races between first packets of one flow that were resolved (CTA_STATS_CLASH_RESOLVE, since 5.10).</summary>
    public uint? ClashResolve { get; private init; }

    /// <summary>Entries refused since their hash chain was too long (CTA_STATS_CHAIN_TOOLONG, since 5.15).</summary>
    public uint? ChainTooLong { get; private init; }

    /// <summary>Reads one whole message of an IPCTNL_MSG_CT_GET_STATS_CPU dump; false when it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ConntrackCpuStats stats)
    {
        stats = default;
        if (!CpuStatsMessage.TryOpen(message, out int cpu, out AttributeReader attributes))
            return false;
        stats = stats with { Cpu = cpu };
        while (attributes.Next())
        {
            stats = attributes.Type switch
            {
                CTA_STATS_SEARCHED => stats with { Searched = attributes.U32() },
                CTA_STATS_FOUND => stats with { Found = attributes.U32() },
                CTA_STATS_NEW => stats with { New = attributes.U32() },
                CTA_STATS_INVALID => stats with { Invalid = attributes.U32() },
                CTA_STATS_IGNORE => stats with { Ignore = attributes.U32() },
                CTA_STATS_DELETE => stats with { Delete = attributes.U32() },
                CTA_STATS_DELETE_LIST => stats with { DeleteList = attributes.U32() },
                CTA_STATS_INSERT => stats with { Insert = attributes.U32() },
                CTA_STATS_INSERT_FAILED => stats with { InsertFailed = attributes.U32() },
                CTA_STATS_DROP => stats with { Drop = attributes.U32() },
                CTA_STATS_EARLY_DROP => stats with { EarlyDrop = attributes.U32() },
                CTA_STATS_ERROR => stats with { Error = attributes.U32() },
                CTA_STATS_SEARCH_RESTART => stats with { SearchRestart = attributes.U32() },
                CTA_STATS_CLASH_RESOLVE => stats with { ClashResolve = attributes.U32() },
                CTA_STATS_CHAIN_TOOLONG => stats with { ChainTooLong = attributes.U32() },
                _ => stats,
            };
        }

        return !attributes.Malformed;
    }
}

using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>What one CPU did with expectations since boot; the numbers wrap at 2^32.</summary>
/// <param name="Cpu">The CPU's number (nfgenmsg.res_id).</param>
/// <param name="New">Flows that were expected (CTA_STATS_EXP_NEW).</param>
/// <param name="Create">Expectations that were made (CTA_STATS_EXP_CREATE).</param>
/// <param name="Delete">Expectations that were removed (CTA_STATS_EXP_DELETE).</param>
public readonly record struct ExpectationCpuStats(int Cpu, uint New, uint Create, uint Delete)
{
    /// <summary>Reads one whole message of an IPCTNL_MSG_EXP_GET_STATS_CPU dump; false when it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ExpectationCpuStats stats)
    {
        stats = default;
        if (!CpuStatsMessage.TryOpen(message, out int cpu, out AttributeReader attributes))
            return false;
        stats = stats with { Cpu = cpu };
        while (attributes.Next())
        {
            stats = attributes.Type switch
            {
                CTA_STATS_EXP_NEW => stats with { New = attributes.U32() },
                CTA_STATS_EXP_CREATE => stats with { Create = attributes.U32() },
                CTA_STATS_EXP_DELETE => stats with { Delete = attributes.U32() },
                _ => stats,
            };
        }

        return !attributes.Malformed;
    }
}

using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>Which entries a dump shows: what the kernel can leave out by itself.</summary>
public sealed record DumpRequest
{
    /// <summary>Which list. Of the two others than the table, the kernel judges the family alone.</summary>
    public EntryList List { get; init; }

    /// <summary><see cref="FlowFamily.Unspecified"/> for both.</summary>
    public FlowFamily Family { get; init; }

    /// <summary>A condition on the mark (CTA_MARK, CTA_MARK_MASK).</summary>
    public BitMatch? Mark { get; init; }

    /// <summary>A condition on the status (CTA_STATUS, CTA_STATUS_MASK): ignored before Linux 5.16.</summary>
    public BitMatch? Status { get; init; }

    /// <summary>Each entry shown has its counters set to 0 (IPCTNL_MSG_CT_GET_CTRZERO).</summary>
    public bool ZeroCounters { get; init; }

    internal byte Message => List switch
    {
        EntryList.Dying => IPCTNL_MSG_CT_GET_DYING,
        EntryList.Unconfirmed => IPCTNL_MSG_CT_GET_UNCONFIRMED,
        _ => ZeroCounters ? IPCTNL_MSG_CT_GET_CTRZERO : IPCTNL_MSG_CT_GET,
    };

    internal void PutConditions(ref RequestWriter request)
    {
        Put(ref request, CTA_MARK, CTA_MARK_MASK, Mark);
        Put(ref request, CTA_STATUS, CTA_STATUS_MASK, Status);
    }

    private static void Put(ref RequestWriter request, ushort value, ushort mask, BitMatch? condition)
    {
        if (condition is not { } match)
            return;
        request.PutU32(value, match.Value);
        request.PutU32(mask, match.Mask);
    }
}

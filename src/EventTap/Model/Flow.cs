using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Model;

/// <summary>
/// A snapshot of one conntrack entry as a message told it. <see cref="Present"/> says which fields it carried; the others are zero.
/// Times are nanoseconds since the Unix epoch; counters include what the entry saw since it began.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct Flow
{
    /// <summary>The direction of the flow's first packet (CTA_TUPLE_ORIG).</summary>
    public FlowTuple Original;

    /// <summary>The direction of its replies, after NAT (CTA_TUPLE_REPLY).</summary>
    public FlowTuple Reply;

    /// <summary>Packets and bytes (layer 3) in original direction (CTA_COUNTERS_ORIG).</summary>
    public ulong OriginalPackets, OriginalBytes;

    /// <summary>Packets and bytes (layer 3) in reply direction (CTA_COUNTERS_REPLY).</summary>
    public ulong ReplyPackets, ReplyBytes;

    /// <summary>When the entry was confirmed, ns since the Unix epoch (CTA_TIMESTAMP_START).</summary>
    public long StartTime;

    /// <summary>When it ended, ns since the Unix epoch (CTA_TIMESTAMP_STOP).</summary>
    public long StopTime;

    /// <summary>What few flows have; null for most. Owned by the batch: keep a <see cref="FlowExtras.Clone"/>.</summary>
    public FlowExtras? Extras;

    /// <summary>Which of the fields the message carried.</summary>
    public FlowFields Present;

    /// <summary>Status bits (CTA_STATUS).</summary>
    public FlowStatus Status;

    /// <summary>CTA_ID, as <c>conntrack -o id</c> prints it: a hash of the entry's address. Used again: a check, not a key.</summary>
    public uint Id;

    /// <summary>The mark of the connection (CTA_MARK).</summary>
    public uint Mark;

    /// <summary>Seconds left until the entry expires without a packet (CTA_TIMEOUT).</summary>
    public uint Timeout;

    /// <summary>References that the kernel holds to the entry (CTA_USE).</summary>
    public uint Use;

    /// <summary>A <see cref="Model.TcpState"/>, a <see cref="SctpState"/>, or DCCP's number, by the protocol of the tuples.</summary>
    public byte ProtocolState;

    /// <summary>TCP window scales of both directions (CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, _REPLY).</summary>
    public byte OriginalWindowScale, ReplyWindowScale;

    /// <summary>IP_CT_TCP_FLAG_* of the original direction, and which of them count (CTA_PROTOINFO_TCP_FLAGS_ORIGINAL).</summary>
    public byte OriginalTcpFlags, OriginalTcpFlagsMask;

    /// <summary>The same of the reply direction (CTA_PROTOINFO_TCP_FLAGS_REPLY).</summary>
    public byte ReplyTcpFlags, ReplyTcpFlagsMask;

    /// <summary>Whether the message carried all of these fields.</summary>
    public readonly bool Has(FlowFields fields) => (Present & fields) == fields;

    /// <summary>When it began, as far as the message tells; 0 where it does not.</summary>
    public readonly long KnownStart => (Present & (FlowFields.StartTime | FlowFields.LatestStart)) == FlowFields.StartTime ? StartTime : 0;

    /// <summary>
    /// Two datagrams of one socket raced, both before there was an entry, and were translated to different destinations: the kernel keeps
    /// the loser's entry beside the winner's, with the same original tuple (nf_ct_resolve_clash_harder). It is found by its reply tuple
    /// alone, is in no dump, and no NEW tells of it.
    /// </summary>
    public readonly bool IsClashLoser => (Status & FlowStatus.NatClash) != FlowStatus.None;

    /// <summary><see cref="ProtocolState"/> of a TCP flow; None for any other protocol.</summary>
    public readonly TcpState TcpState => Original.Protocol == IpProtocol.Tcp ? (TcpState)ProtocolState : TcpState.None;

    /// <summary>The source is translated: replies go to another address or port than the original source.</summary>
    public readonly bool IsSourceNat => Has(FlowFields.BothTuples)
        && (Reply.Destination != Original.Source || (!Original.IsIcmp && Reply.DestinationPort != Original.SourcePort));

    /// <summary>The destination is translated: replies come from another address or port than the original destination.</summary>
    public readonly bool IsDestinationNat => Has(FlowFields.BothTuples)
        && (Reply.Source != Original.Destination || (!Original.IsIcmp && Reply.SourcePort != Original.DestinationPort));
}

using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Model;

/// <summary>
/// A snapshot of one conntrack entry as a message told it. <see cref="Present"/> says which fields it carried; the others are zero.
/// Times are nanoseconds since the Unix epoch; counters include what the entry saw since it began.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct Flow
{
    public FlowTuple Original; // CTA_TUPLE_ORIG
    public FlowTuple Reply; // CTA_TUPLE_REPLY
    public ulong OriginalPackets, OriginalBytes; // CTA_COUNTERS_ORIG
    public ulong ReplyPackets, ReplyBytes; // CTA_COUNTERS_REPLY
    public long StartTime; // CTA_TIMESTAMP_START
    public long StopTime; // CTA_TIMESTAMP_STOP
    public FlowExtras? Extras; // null for most flows; owned by the batch
    public FlowFields Present;
    public FlowStatus Status; // CTA_STATUS
    public uint Id; // CTA_ID, as conntrack -o id prints it; a hash of the entry's address: reused, a mismatch check only
    public uint Mark; // CTA_MARK
    public uint Timeout; // CTA_TIMEOUT, seconds left
    public uint Use; // CTA_USE
    public byte ProtocolState; // TcpState for TCP; SCTP's and DCCP's own numbers
    public byte OriginalWindowScale, ReplyWindowScale; // CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, _REPLY
    public byte OriginalTcpFlags, OriginalTcpFlagsMask; // CTA_PROTOINFO_TCP_FLAGS_ORIGINAL: struct nf_ct_tcp_flags
    public byte ReplyTcpFlags, ReplyTcpFlagsMask; // CTA_PROTOINFO_TCP_FLAGS_REPLY

    public readonly bool Has(FlowFields fields) => (Present & fields) == fields;

    /// <summary>When it began, as far as the message tells; 0 where it does not.</summary>
    public readonly long KnownStart => (Present & (FlowFields.StartTime | FlowFields.LatestStart)) == FlowFields.StartTime ? StartTime : 0;

    /// <summary>
    /// Two datagrams of one socket raced, both before there was an entry, and were translated to different destinations: the kernel keeps the
    /// loser's entry beside the winner's, with the same original tuple (nf_ct_resolve_clash_harder). It is found by its reply tuple alone, is
    /// in no dump, and no NEW tells of it.
    /// </summary>
    public readonly bool IsClashLoser => (Status & FlowStatus.NatClash) != FlowStatus.None;

    public readonly TcpState TcpState => Original.Protocol == IpProtocol.Tcp ? (TcpState)ProtocolState : TcpState.None;

    /// <summary>The source is translated: replies go to another address or port than the original source.</summary>
    public readonly bool IsSourceNat => Has(FlowFields.BothTuples)
        && (Reply.Destination != Original.Source || (!Original.IsIcmp && Reply.DestinationPort != Original.SourcePort));

    /// <summary>The destination is translated: replies come from another address or port than the original destination.</summary>
    public readonly bool IsDestinationNat => Has(FlowFields.BothTuples)
        && (Reply.Source != Original.Destination || (!Original.IsIcmp && Reply.SourcePort != Original.DestinationPort));
}

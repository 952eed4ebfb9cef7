using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;

namespace ConntrackStream.Service.Summary;

/// <summary>
/// Adds up flows one by one: a table of any size in some 8 MB. Top lists are exact up to twice <see cref="Counters"/> keys; beyond, no
/// number is more than (all flows or bytes) / <see cref="Counters"/> too high. Not thread-safe.
/// </summary>
/// <param name="establishedTimeout">nf_conntrack_tcp_timeout_established; null where it is unknown.</param>
internal sealed class TableTally(TimeSpan? establishedTimeout)
{
    internal const int Counters = 4096;

    private const uint Unacknowledged = 300; // seconds: an ESTABLISHED entry with data in flight has no more, whatever its idle time
    private const ushort Dns = 53;

    /// <summary>From when on a flow counts as idle.</summary>
    internal static readonly TimeSpan Idle = TimeSpan.FromHours(1);

    /// <summary>An idle TCP connection must be kept for so long (RFC 5382, REQ-5).</summary>
    internal static readonly TimeSpan LeastEstablished = TimeSpan.FromMinutes(124);

    private readonly long[] _nat = new long[4]; // bit 0: source, bit 1: destination

    internal long Flows { get; private set; }

    internal ulong Bytes { get; private set; }

    /// <summary>Flows whose entry has no counters.</summary>
    internal long Uncounted { get; private set; }

    internal long Assured { get; private set; }

    internal long Unreplied { get; private set; }

    internal FlowStateCounts States { get; } = new();

    internal HeavyHitters<HostKey> SourcesByFlows { get; } = new(Counters);

    internal HeavyHitters<HostKey> SourcesByBytes { get; } = new(Counters);

    internal HeavyHitters<HostKey> DestinationsByFlows { get; } = new(Counters);

    internal HeavyHitters<HostKey> DestinationsByBytes { get; } = new(Counters);

    internal HeavyHitters<PairKey> PairsByFlows { get; } = new(Counters);

    internal HeavyHitters<PairKey> PairsByBytes { get; } = new(Counters);

    internal FlowGroup CloseWait { get; } = new();

    /// <summary>TCP without any answer.</summary>
    internal FlowGroup UnansweredTcp { get; } = new();

    /// <summary>UDP without any answer, but DNS.</summary>
    internal FlowGroup UnansweredUdp { get; } = new();

    internal FlowGroup DnsFlows { get; } = new();

    /// <summary>ESTABLISHED, and without a packet for <see cref="Idle"/> or longer.</summary>
    internal FlowGroup IdleFlows { get; } = new();

    /// <summary>Of them, those idle for <see cref="LeastEstablished"/> or longer.</summary>
    internal long IdleForLong { get; private set; }

    internal long Established { get; private set; }

    /// <summary>Flows whose translation this is.</summary>
    internal long Nat(bool source, bool destination) => _nat[Index(source, destination)];

    internal void Add(in Flow flow)
    {
        ref readonly FlowTuple original = ref flow.Original;
        ulong bytes = flow.OriginalBytes + flow.ReplyBytes;
        Flows++;
        Bytes += bytes;
        Uncounted += flow.Has(FlowFields.OriginalCounters) ? 0 : 1;
        Assured += flow.Status.HasFlag(FlowStatus.Assured) ? 1 : 0;
        Unreplied += flow.Status.HasFlag(FlowStatus.SeenReply) ? 0 : 1;
        _nat[Index(flow.IsSourceNat, flow.IsDestinationNat)]++;
        States.Add(original.Protocol, isNew: false, flow.Has(FlowFields.ProtocolState) ? flow.ProtocolState : byte.MaxValue, flow.Status);
        SourcesByFlows.Add(HostKey.Source(original), 1);
        SourcesByBytes.Add(HostKey.Source(original), bytes);
        DestinationsByFlows.Add(HostKey.Destination(original), 1);
        DestinationsByBytes.Add(HostKey.Destination(original), bytes);
        PairsByFlows.Add(PairKey.Of(original), 1);
        PairsByBytes.Add(PairKey.Of(original), bytes);
        AddToGroups(flow);
    }

    private void AddToGroups(in Flow flow)
    {
        ref readonly FlowTuple original = ref flow.Original;
        bool isAnswered = flow.Status.HasFlag(FlowStatus.SeenReply);
        bool isTcp = original.Protocol == IpProtocol.Tcp;
        bool isDns = original.DestinationPort == Dns && (isTcp || original.Protocol == IpProtocol.Udp);
        if (isDns)
            DnsFlows.Add(original);
        else if (original.Protocol == IpProtocol.Udp && !isAnswered)
            UnansweredUdp.Add(original);
        if (isTcp && !isAnswered)
            UnansweredTcp.Add(original);
        if (flow.TcpState == TcpState.CloseWait)
            CloseWait.Add(original);
        if (flow.TcpState == TcpState.Established)
            AddEstablished(flow);
    }

    private void AddEstablished(in Flow flow)
    {
        Established++;
        const FlowStatus NotRenewed = FlowStatus.FixedTimeout | FlowStatus.Offload | FlowStatus.HardwareOffload;
        if (establishedTimeout is not { } timeout || !flow.Has(FlowFields.Timeout) || flow.Timeout <= Unacknowledged
            || (flow.Status & NotRenewed) != FlowStatus.None)
            return;
        TimeSpan idle = timeout - TimeSpan.FromSeconds(flow.Timeout);
        if (idle < Idle)
            return;
        IdleFlows.Add(flow.Original);
        IdleForLong += idle >= LeastEstablished ? 1 : 0;
    }

    private static int Index(bool source, bool destination) => (source ? 1 : 0) | (destination ? 2 : 0);
}

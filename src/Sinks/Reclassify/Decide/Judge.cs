using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>What may be done to a flow.</summary>
/// <param name="Detail">For people: what stands against it; null when the refusal says all.</param>
internal readonly record struct Judgement(FlowAction Action, Refusal Refusal, string? Detail = null)
{
    internal static Judgement Keep(Refusal refusal, string? detail = null) => new(FlowAction.Keep, refusal, detail);
}

/// <summary>
/// The mildest action that moves a flow, judged by the flow itself and what the kernel says now. What was measured decides: a flow that is
/// not translated is re-marked without losing a packet, unless the wanted path translates: its entry would stay as it is, and its packets
/// leave with a private source. Such a flow and a translated one need another entry. A TCP client is reset first, since a connection whose
/// entry is deleted hangs if its server sends next; for a datagram the entry is deleted. One in a flow table goes by its entry's first
/// route until the entry dies (flow_offload_lookup in nf_flow_table_core.c), and its packets see no rules.
/// </summary>
internal sealed class Judge(PathTable paths, ReclassifyKernel kernel)
{
    /// <summary>Datagrams of a flow so young are not waited for, ns.</summary>
    private const long Young = 10_000_000_000;

    /// <param name="flow">As the kernel reports it at this moment.</param>
    internal Judgement Of(in Flow flow, UplinkPath? now, UplinkPath wanted)
    {
        if (now is null)
            return Judgement.Keep(Refusal.PathUnknown);
        if (now.Name == wanted.Name)
            return Judgement.Keep(Refusal.AlreadyRight);
        if (OfItself(flow) is var refusal and not Refusal.None)
            return Judgement.Keep(refusal);
        if (wanted.WhyUnknown is { } unknown)
            return Judgement.Keep(Refusal.PathDown, unknown);
        if (kernel.Prove(flow, wanted, out bool isOwn, out string? detail) is var unproven and not Refusal.None)
            return Judgement.Keep(unproven, detail);
        if (isOwn)
            return OfOwnTcp(flow);
        bool isTranslated = flow.IsSourceNat || paths.Translates(flow, now, wanted);
        if (!isTranslated && wanted.Mark is null)
            return Judgement.Keep(Refusal.NoMark);
        if (!isTranslated && !paths.IsSourceUsed(flow, wanted, kernel.Read))
            return Judgement.Keep(
                Refusal.UnusedSource, $"no untranslated flow of its source's network is known to be answered on {wanted.Name}");
        bool isOffloaded = (flow.Status & (FlowStatus.Offload | FlowStatus.HardwareOffload)) != FlowStatus.None;
        if (!isTranslated && !isOffloaded)
            return new Judgement(FlowAction.Remark, Refusal.None);
        if (flow.Original.Protocol != IpProtocol.Tcp || flow.TcpState == TcpState.SynSent) // a SYN is sent again, and makes an entry
            return new Judgement(FlowAction.Delete, Refusal.None);
        return isTranslated ? OfTranslatedTcp(isOffloaded) : OfOffloadedTcp();
    }

    /// <summary>
    /// Translated or not, its socket keeps the address that the old path gave it. While it connects nothing of it can be reset.
    /// </summary>
    private Judgement OfOwnTcp(in Flow flow) =>
        flow.TcpState == TcpState.SynSent ? new Judgement(FlowAction.Watch, Refusal.None) : OfTranslatedTcp(isOffloaded: false);

    private Judgement OfTranslatedTcp(bool isOffloaded)
    {
        if (isOffloaded)
            return Judgement.Keep(Refusal.Offloaded, "its packets are in a flow table and pass the rules by");
        return kernel.WhyNoReset() is { } why ? Judgement.Keep(Refusal.NoReset, why) : new Judgement(FlowAction.Reset, Refusal.None);
    }

    /// <summary>Not translated: its next packet, of whichever end, makes the new entry, if such a packet may.</summary>
    private Judgement OfOffloadedTcp() => kernel.IsTcpLoose()
        ? new Judgement(FlowAction.Delete, Refusal.None)
        : Judgement.Keep(Refusal.TcpLoose, "net.netfilter.nf_conntrack_tcp_loose is 0");

    /// <summary>
    /// Whether a flow that is to be deleted is one whose client still sends, so that its packet brings it back. A connecting TCP client
    /// does.
    /// </summary>
    /// <param name="activity">Of an earlier look; becomes this one's.</param>
    /// <param name="now">ns since the Unix epoch.</param>
    /// <returns>The flow is deleted, kept, or watched: looked at again in a moment.</returns>
    internal static Judgement OfActivity(in Flow flow, ref ClientActivity activity, long now)
    {
        Judgement delete = new(FlowAction.Delete, Refusal.None);
        if (flow.TcpState == TcpState.SynSent || !flow.Has(FlowFields.OriginalCounters))
            return delete;
        if (flow.Original.Protocol != IpProtocol.Tcp)
        {
            if (flow.OriginalPackets <= 1) // a query, as a rule: its answer may be on the way, and needs the entry
                return Judgement.Keep(Refusal.Idle, "its client has sent one packet so far");
            if (flow.Has(FlowFields.StartTime) && now - flow.StartTime < Young)
                return delete;
        }

        ClientActivity before = activity;
        activity = ClientActivity.Of(flow);
        if (!before.IsKnown)
            return new Judgement(FlowAction.Watch, Refusal.None);
        if (before.HasSentUntil(activity))
            return delete;
        activity = default; // the next look comes later, and begins again
        return Judgement.Keep(Refusal.Idle, "its client sends nothing");
    }

    private static Refusal OfItself(in Flow flow)
    {
        if (flow.Original.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Icmp or IpProtocol.IcmpV6))
            return Refusal.Protocol;
        if (flow.IsDestinationNat)
            return Refusal.DestinationNat;
        if (flow.Extras is { Helper: not null } or { HasMaster: true }
            || (flow.Status & (FlowStatus.Expected | FlowStatus.Helper)) != FlowStatus.None)
            return Refusal.Helper;
        return flow.TcpState is TcpState.FinWait or TcpState.CloseWait or TcpState.LastAck or TcpState.TimeWait or TcpState.Close
            ? Refusal.Closing
            : Refusal.None;
    }
}

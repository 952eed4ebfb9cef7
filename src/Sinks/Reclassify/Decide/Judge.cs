using System.Globalization;
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
/// The mildest action that moves a flow, judged by the flow itself and what the kernel says now. What was measured decides: a flow that is not
/// translated is re-marked without losing a packet, unless the wanted path translates: its entry would stay as it is, and its packets leave with
/// a private source; such a flow, one in a flow table (which goes by its entry's first route until the entry dies: flow_offload_lookup in
/// nf_flow_table_core.c) and a translated one are deleted, if the next packet will make the new entry on the other path.
/// </summary>
internal sealed class Judge(PathTable paths, ReclassifyKernel kernel)
{
    /// <summary>Datagrams of a flow so young are not waited for, ns.</summary>
    private const long Young = 10_000_000_000;

    /// <param name="flow">As the kernel told it just now.</param>
    internal Judgement Of(in Flow flow, UplinkPath? now, UplinkPath wanted)
    {
        if (now is null)
            return Judgement.Keep(Refusal.PathUnknown);
        if (now.Name == wanted.Name)
            return Judgement.Keep(Refusal.AlreadyRight);
        if (OfItself(flow) is var refusal and not Refusal.None)
            return Judgement.Keep(refusal);
        if (kernel.Prove(flow, wanted, out string? detail) is var unproven and not Refusal.None)
            return Judgement.Keep(unproven, detail);
        bool isUntranslated = !flow.IsSourceNat && !paths.Translates(flow, now, wanted);
        if (isUntranslated && wanted.Mark is null)
            return Judgement.Keep(Refusal.NoMark);
        bool isOffloaded = (flow.Status & (FlowStatus.Offload | FlowStatus.HardwareOffload)) != FlowStatus.None; // its packets see neither marks nor routes
        if (isUntranslated && !isOffloaded)
            return new Judgement(FlowAction.Remark, Refusal.None);
        if (flow.Original.Protocol == IpProtocol.Tcp && flow.TcpState is not TcpState.SynSent && !kernel.IsTcpLoose()) // only a SYN makes an entry then
            return Judgement.Keep(Refusal.TcpLoose, "net.netfilter.nf_conntrack_tcp_loose is 0");
        return new Judgement(FlowAction.Delete, Refusal.None);
    }

    private static Refusal OfItself(in Flow flow)
    {
        if (flow.Original.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Icmp or IpProtocol.IcmpV6))
            return Refusal.Protocol;
        if (flow.IsDestinationNat)
            return Refusal.DestinationNat;
        if (flow.Extras is { Helper: not null } or { HasMaster: true } || (flow.Status & (FlowStatus.Expected | FlowStatus.Helper)) != FlowStatus.None)
            return Refusal.Helper;
        return flow.TcpState is TcpState.FinWait or TcpState.CloseWait or TcpState.LastAck or TcpState.TimeWait or TcpState.Close
            ? Refusal.Closing
            : Refusal.None;
    }

    /// <summary>
    /// Whether the client still sends, so that a deleted entry comes back by its packet and not by one of the server's. While TCP connects it is the
    /// client's turn. Where accounting is off, the time since any packet has to do.
    /// </summary>
    /// <param name="activity">Of an earlier look; becomes this one's.</param>
    /// <param name="now">ns since the Unix epoch.</param>
    /// <returns>null: look again in a moment.</returns>
    internal bool? IsActive(in Flow flow, ref ClientActivity activity, long now, out string? detail)
    {
        detail = null;
        if (flow.Original.Protocol == IpProtocol.Tcp)
        {
            if (flow.TcpState is TcpState.SynSent or TcpState.SynReceived)
                return true;
        }
        else if (flow.Has(FlowFields.OriginalCounters) && flow.OriginalPackets <= 1)
        {
            detail = "its client has sent one packet so far"; // a query, as a rule: its answer may be on the way, and needs the entry
            return false;
        }
        else if (flow.Has(FlowFields.StartTime) && now - flow.StartTime < Young)
        {
            return true;
        }

        if (flow.Has(FlowFields.OriginalCounters))
        {
            ClientActivity before = activity;
            activity = ClientActivity.Of(flow);
            if (!before.IsKnown)
                return null;
            detail = before.IdleUntil(activity, flow.Original.Family, flow.Original.Protocol);
            if (detail is not null)
                activity = default; // the next look comes later, and begins anew
            return detail is null;
        }

        if (flow.TcpState != TcpState.Established || !flow.Has(FlowFields.Timeout))
            return true;
        if (kernel.IsAccounting())
        {
            detail = "it began before accounting was on, and has no counters";
            return false;
        }

        uint left = flow.Timeout;
        uint idle = kernel.EstablishedTimeouts().Where(whole => whole >= left).Select(whole => whole - left).DefaultIfEmpty().Min();
        detail = string.Create(CultureInfo.InvariantCulture, $"no packet for {idle} s");
        return idle <= 1;
    }
}

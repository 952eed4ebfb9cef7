using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Tests.Summary;

/// <summary>Flows as a dump shows them.</summary>
internal static class MadeFlows
{
    internal static readonly TimeSpan FiveDays = TimeSpan.FromDays(5);

    internal static Flow Tcp(string source, ushort sport, string destination, ushort dport, TcpState state, uint timeout = 100)
    {
        Flow flow = Make(IpProtocol.Tcp, source, sport, destination, dport);
        flow.ProtocolState = (byte)state;
        flow.Present |= FlowFields.ProtocolState | FlowFields.Timeout;
        flow.Timeout = timeout;
        flow.Status = state is TcpState.SynSent
            ? FlowStatus.Confirmed
            : FlowStatus.Confirmed | FlowStatus.SeenReply | FlowStatus.Assured;
        return flow;
    }

    internal static Flow Udp(string source, ushort sport, string destination, ushort dport, bool answered)
    {
        Flow flow = Make(IpProtocol.Udp, source, sport, destination, dport);
        flow.Status = answered ? FlowStatus.Confirmed | FlowStatus.SeenReply : FlowStatus.Confirmed;
        return flow;
    }

    internal static TableTally Tally(IEnumerable<Flow> flows)
    {
        TableTally tally = new(FiveDays);
        foreach (Flow flow in flows)
            tally.Add(flow);
        return tally;
    }

    internal static TableReading Reading(long entries = 1000, long max = 100_000, long? buckets = 100_000) => new()
    {
        At = 0,
        Entries = entries,
        Max = max,
        Buckets = buckets,
        EstablishedTimeout = FiveDays,
        CloseWaitTimeout = TimeSpan.FromMinutes(1),
    };

    private static Flow Make(IpProtocol protocol, string source, ushort sport, string destination, ushort dport)
    {
        Flow flow = new()
        {
            Present = FlowFields.BothTuples | FlowFields.Status | FlowFields.Counters,
            OriginalPackets = 1,
            OriginalBytes = 60,
        };
        flow.Original = new FlowTuple
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = IpAddress.From(IPAddress.Parse(source)),
            SourcePort = sport,
            Destination = IpAddress.From(IPAddress.Parse(destination)),
            DestinationPort = dport,
        };
        flow.Reply = flow.Original with
        {
            Source = flow.Original.Destination,
            SourcePort = dport,
            Destination = flow.Original.Source,
            DestinationPort = sport,
        };
        return flow;
    }
}

using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>Changes for the flow-log tests.</summary>
internal static class FlowLogTestData
{
    /// <summary>2026-02-03T04:05:06.789012Z and 345 ns.</summary>
    internal const long Time = 1_770_091_506_789_012_345;

    internal static readonly DateTimeOffset Clock = DateTimeOffset.UnixEpoch.AddTicks(Time / 100);

    internal static FlowTuple Tuple(
        IpProtocol protocol, string source, int sourcePort, string destination, int destinationPort, ushort zone = 0)
    {
        IPAddress from = IPAddress.Parse(source);
        return new FlowTuple
        {
            Source = IpAddress.From(from),
            Destination = IpAddress.From(IPAddress.Parse(destination)),
            SourcePort = (ushort)sourcePort,
            DestinationPort = (ushort)destinationPort,
            Protocol = protocol,
            Family = from.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6,
            Zone = zone,
        };
    }

    internal static FlowTuple Icmp(IpProtocol protocol, string source, string destination, byte type, byte code, int id) =>
        Tuple(protocol, source, id, destination, (type << 8) | code);

    /// <summary>A flow of which nothing but its tuples is known; the reply is the inverse unless given.</summary>
    internal static Flow Flow(FlowTuple original, FlowTuple? reply = null) => new()
    {
        Original = original,
        Reply = reply ?? original with
        {
            Source = original.Destination,
            Destination = original.Source,
            SourcePort = original.DestinationPort,
            DestinationPort = original.SourcePort,
        },
        Present = FlowFields.BothTuples,
    };

    internal static FlowChange Change(FlowChangeKind kind, in Flow flow, long time = Time) => new()
    {
        Kind = kind,
        Flow = flow,
        Id = new FlowId(0x123456789ABCDEF, 0x1122334455667788),
        Time = time,
    };

    internal static FlowChange Started(int port = 40000, long time = Time) =>
        Change(FlowChangeKind.Started, Flow(Tuple(IpProtocol.Tcp, "192.0.2.1", port, "198.51.100.2", 443)), time);

    internal static FlowChangeBatch Batch(params FlowChange[] changes)
    {
        FlowChangeBatch batch = new();
        foreach (FlowChange change in changes)
            batch.Add() = change;
        return batch;
    }
}

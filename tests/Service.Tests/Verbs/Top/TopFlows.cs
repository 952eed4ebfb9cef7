using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Verbs.Top;

namespace ConntrackStream.Service.Tests.Verbs.Top;

/// <summary>Dumps of a table, as the kernel would show them.</summary>
internal static class TopFlows
{
    internal const long Second = 1_000_000_000;

    internal static Flow Of(string source, ushort port, ulong bytes, uint id = 1, long start = 0) => new()
    {
        Original = Tuple(source, 40000, "198.51.100.7", port),
        Reply = Tuple("198.51.100.7", port, "203.0.113.1", 40000),
        Id = id,
        OriginalBytes = bytes,
        OriginalPackets = bytes / 10,
        StartTime = start,
        Present = FlowFields.BothTuples | FlowFields.Id | FlowFields.OriginalCounters
            | (start > 0 ? FlowFields.StartTime : FlowFields.None),
        ProtocolState = (byte)TcpState.Established,
    };

    internal static TopTable Look(FlowMeter meter, long now, params Flow[] flows) => Look(meter, now, TopSort.Rate, flows);

    internal static TopTable Look(FlowMeter meter, long now, TopSort sort, params Flow[] flows)
    {
        meter.Begin(now, sort);
        FlowBatchPool pool = new();
        foreach (Flow[] part in flows.Chunk(FlowBatch.Capacity))
        {
            FlowBatch batch = pool.Rent();
            foreach (Flow flow in part)
            {
                batch.Next().Flow = flow;
                batch.Commit();
            }

            meter.Add(batch);
            batch.Release();
        }

        return meter.End();
    }

    private static FlowTuple Tuple(string source, ushort sourcePort, string destination, ushort destinationPort)
    {
        IPAddress address = IPAddress.Parse(source);
        return new FlowTuple
        {
            Family = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
            Source = IpAddress.From(address),
            Destination = IpAddress.From(IPAddress.Parse(destination)),
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
            Protocol = IpProtocol.Tcp,
        };
    }
}

using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>Changes that between them have every field in every combination, and their records.</summary>
internal static class RecordCases
{
    private static readonly IpProtocol[] Protocols =
        [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp, IpProtocol.Gre, IpProtocol.Icmp, IpProtocol.IcmpV6, (IpProtocol)99];

    internal static readonly FlowDirections Directions =
        new([IpPrefix.TryParse("128.0.0.0/1", out IpPrefix inside, out _) ? inside : default], []);

    internal static IEnumerable<FlowChange> Random(int count)
    {
        Random random = new(7);
        return Enumerable.Range(0, count).Select(_ => Next(random));
    }

    internal static string Write(IRecordWriter writer, in FlowChange change)
    {
        byte[] buffer = new byte[8192];
        int length = writer.Write(buffer, change);
        Assert.True(length > 1 && buffer[length - 1] == '\n');
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static FlowChange Next(Random random)
    {
        bool v6 = random.Next(2) == 0;
        IpProtocol protocol = Protocols[random.Next(Protocols.Length)];
        Flow flow = FlowLogTestData.Flow(Tuple(random, v6, protocol));
        if (random.Next(2) == 0)
            flow.Reply.Destination = Address(random, v6); // SNAT
        if (random.Next(2) == 0)
            flow.Reply.Source = Address(random, v6); // DNAT
        if (random.Next(4) == 0)
            flow.Reply.SourcePort = (ushort)random.Next(65536);
        flow.Reply.Zone = (ushort)random.Next(2);
        const FlowFields Optional = FlowFields.Reply | FlowFields.Status | FlowFields.Mark | FlowFields.Counters | FlowFields.Id
            | FlowFields.ProtocolState | FlowFields.StartTime | FlowFields.StopTime;
        flow.Present = FlowFields.Original | (FlowFields)(random.Next() & (int)Optional);
        flow.Id = (uint)random.NextInt64();
        flow.Mark = (uint)random.NextInt64();
        flow.Status = (FlowStatus)(random.Next() & 0x1FFFF);
        flow.ProtocolState = (byte)random.Next(12);
        flow.StartTime = FlowLogTestData.Time - random.NextInt64(1_000_000_000_000);
        flow.StopTime = FlowLogTestData.Time - random.NextInt64(1_000_000_000_000);
        flow.OriginalPackets = (ulong)random.Next(1000);
        flow.OriginalBytes = (ulong)random.NextInt64();
        flow.ReplyPackets = (ulong)random.Next(1000);
        flow.ReplyBytes = (ulong)random.NextInt64();
        if (random.Next(2) == 0)
            flow.Extras = new FlowExtras { HasLabels = random.Next(2) == 0, Labels = 5, Helper = random.Next(2) == 0 ? "f\"tp" : null };
        return FlowLogTestData.Change((FlowChangeKind)random.Next(3), flow) with { Origin = (FlowOrigin)random.Next(3) };
    }

    private static FlowTuple Tuple(Random random, bool v6, IpProtocol protocol) => new()
    {
        Source = Address(random, v6),
        Destination = Address(random, v6),
        SourcePort = (ushort)random.Next(65536),
        DestinationPort = (ushort)random.Next(65536),
        Protocol = protocol,
        Family = v6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
        Zone = (ushort)random.Next(2),
    };

    private static IpAddress Address(Random random, bool v6) =>
        v6 ? new IpAddress((ulong)random.NextInt64(), (ulong)random.NextInt64()) : new IpAddress(0, (uint)random.NextInt64());
}

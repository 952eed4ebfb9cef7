using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.FleetCost;

/// <summary>
/// Batches of ends of TCP flows with everything that a kernel with accounting and timestamps reports. Each end is one record for every
/// sink. The batches are made once and written again and again.
/// </summary>
internal sealed class MadeChanges
{
    private const int Batches = 64;

    private readonly FlowChangeBatch[] _batches = [.. Enumerable.Range(0, Batches).Select(static number => Make(number))];
    private int _next;

    internal FlowChangeBatch Next() => _batches[_next++ % Batches];

    /// <param name="number">Of the batch: each has other flows.</param>
    internal static FlowChangeBatch Make(int number, int count = FlowChangeBatch.Capacity)
    {
        FlowChangeBatch batch = new();
        for (int at = 0; at < count; at++)
            Fill(ref batch.Add(), (number * FlowChangeBatch.Capacity) + at);
        return batch;
    }

    private static void Fill(ref FlowChange change, int number)
    {
        long end = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000 + number, start = end - 1_234_567_890 - number;
        FlowTuple original = new()
        {
            Source = IpAddress.From(new IPAddress([192, 168, (byte)(number >> 8), (byte)number])),
            Destination = IpAddress.From(new IPAddress([203, 0, 113, (byte)number])),
            SourcePort = (ushort)(20_000 + number),
            DestinationPort = 443,
            Protocol = IpProtocol.Tcp,
            Family = FlowFamily.IPv4,
        };
        change.Kind = FlowChangeKind.Ended;
        change.Id = new FlowId(0x0123_4567_89AB_CDEF, (ulong)number);
        (change.Time, change.Start, change.End) = (end, start, end);
        change.Flow = new Flow
        {
            Original = original,
            Reply = original with
            {
                Source = original.Destination,
                Destination = original.Source,
                SourcePort = original.DestinationPort,
                DestinationPort = original.SourcePort,
            },
            OriginalPackets = 12,
            OriginalBytes = 3456,
            ReplyPackets = 34,
            ReplyBytes = 45_678,
            StartTime = start,
            StopTime = end,
            Id = (uint)(number * 2_654_435_761),
            Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.Confirmed,
            ProtocolState = (byte)TcpState.TimeWait,
            Present = FlowFields.BothTuples | FlowFields.Counters | FlowFields.StartTime | FlowFields.StopTime | FlowFields.Id
                | FlowFields.Status | FlowFields.ProtocolState,
        };
    }
}

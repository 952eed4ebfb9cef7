using System.Collections.Concurrent;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

/// <summary>Keeps what a classifier tells.</summary>
internal sealed class HostStub : IClassifierHost
{
    internal ConcurrentQueue<(FlowQuestion Question, Verdict Verdict)> Answers { get; } = new();

    internal ConcurrentQueue<AddressRange> Reconsidered { get; } = new();

    public void Reconsider(in AddressRange range) => Reconsidered.Enqueue(range);

    public void Answer(in FlowQuestion question, in Verdict verdict) => Answers.Enqueue((question, verdict));

    /// <summary>A question that no other number asks.</summary>
    internal static FlowQuestion Question(int number, string? path = null) => new(
        new FlowTuple
        {
            Family = FlowFamily.IPv4,
            Protocol = IpProtocol.Tcp,
            Source = new IpAddress(0, 0xC0A80102),
            Destination = new IpAddress(0, 0xCB007100 + (ulong)(number >> 8)),
            SourcePort = 40000,
            DestinationPort = (ushort)(1000 + (number & 255)),
        },
        256,
        path);
}

using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>A pipeline with its view, fed with events as a recording would feed it.</summary>
internal sealed class LivePipeline : IAsyncDisposable
{
    private readonly PipelineSource _source = new();
    private long _now = 1_700_000_000_000_000_000;

    private LivePipeline() => Pipeline = new FlowPipeline(
        _source, Array.Empty<IFlowSink>(), new PipelineOptions(), TimeProvider.System, NullLogger<FlowPipeline>.Instance);

    internal FlowPipeline Pipeline { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static async Task<LivePipeline> CreateAsync()
    {
        LivePipeline live = new();
        await live.Pipeline.StartAsync(Cancellation);
        return live;
    }

    /// <summary>Untranslated TCP flows from 10.0.0.1 to port 443 of 10.0.0.2.</summary>
    internal Task StartAsync(params ushort[] ports) =>
        WriteAsync(FlowEventType.New, [.. ports.Select(static port => Tuple("10.0.0.1", port, "10.0.0.2", 443))]);

    internal Task EndAsync(params ushort[] ports) =>
        WriteAsync(FlowEventType.Destroy, [.. ports.Select(static port => Tuple("10.0.0.1", port, "10.0.0.2", 443))]);

    internal Task WriteAsync(FlowEventType type, params FlowTuple[] originals) =>
        WriteAsync(type, [.. originals.Select(static original => (original, Inverse(original)))]);

    /// <summary>Done when the view has them.</summary>
    internal async Task WriteAsync(FlowEventType type, params (FlowTuple Original, FlowTuple Reply)[] flows)
    {
        foreach ((FlowTuple Original, FlowTuple Reply)[] some in flows.Chunk(FlowBatch.Capacity))
        {
            FlowBatch batch = new();
            foreach ((FlowTuple original, FlowTuple reply) in some)
            {
                batch.Next() = new FlowEvent
                {
                    Type = type,
                    Time = _now += 1_000,
                    Flow = new Flow { Present = FlowFields.BothTuples, Original = original, Reply = reply },
                };
                batch.Commit();
            }

            await _source.Writer.WriteAsync(new TapMessage(TapMessageKind.Events) { Batch = batch }, Cancellation);
        }

        bool isThere = type == FlowEventType.New;
        foreach ((FlowTuple original, _) in flows)
            await Eventually.TrueAsync(async () => (await Pipeline.FindAsync(original, Cancellation) is not null) == isThere);
    }

    /// <summary>So many flows, each to another address of 10.0.0.0/8. Done when the view has them.</summary>
    internal async Task FillAsync(int flows)
    {
        FlowTuple original = Tuple("10.0.0.1", 1, "10.0.0.0", 443);
        for (int made = 0; made < flows;)
        {
            FlowBatch batch = new();
            for (; made < flows && batch.Count < FlowBatch.Capacity; made++)
            {
                original.Destination = IpAddress.From(new System.Net.IPAddress([10, (byte)(made >> 16), (byte)(made >> 8), (byte)made]));
                batch.Next() = new FlowEvent
                {
                    Type = FlowEventType.New,
                    Time = _now += 1_000,
                    Flow = new Flow { Present = FlowFields.BothTuples, Original = original, Reply = Inverse(original) },
                };
                batch.Commit();
            }

            await _source.Writer.WriteAsync(new TapMessage(TapMessageKind.Events) { Batch = batch }, Cancellation);
        }

        await Eventually.TrueAsync(() => Pipeline.Status.FlowsIPv4 >= flows);
    }

    internal static FlowTuple Tuple(
        string source, ushort sourcePort, string destination, ushort destinationPort, IpProtocol protocol = IpProtocol.Tcp) => new()
        {
            Family = source.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4,
            Protocol = protocol,
            Source = IpAddress.From(System.Net.IPAddress.Parse(source)),
            Destination = IpAddress.From(System.Net.IPAddress.Parse(destination)),
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
        };

    internal static FlowTuple Inverse(FlowTuple tuple)
    {
        FlowTuple inverse = tuple;
        (inverse.Source, inverse.Destination) = (tuple.Destination, tuple.Source);
        (inverse.SourcePort, inverse.DestinationPort) = (tuple.DestinationPort, tuple.SourcePort);
        return inverse;
    }

    public ValueTask DisposeAsync() => Pipeline.DisposeAsync();
}

using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Delete;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>This service's own tap, live view, map audit and delete stage, with <c>Map:Mode=delete</c>.</summary>
/// <param name="change">Takes guards away, for the negative control; null for the service as it is.</param>
internal sealed class OurCleaner(TimeProvider time, Func<MapOptions, MapOptions>? change = null) : IRaceCleaner
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(10);

    private BriefStream? _stream;

    public string Name => "ours";

    public async Task StartAsync(RaceNode node, TupleReuse reuse, CancellationToken cancellationToken)
    {
        MapOptions map = new()
        {
            Open = () => new RaceMap(node.OpenMap(), reuse),
            Mode = MapMode.Delete,
            Grace = RaceOptions.Interval,
            ArmedWindow = RaceOptions.Interval,
        };
        _stream = new BriefStream(node.Namespace, [], new PipelineOptions { Map = change is null ? map : change(map) }, time);
        await _stream.StartAsync(cancellationToken);
        while (_stream.Pipeline.Status.Map is { LastAudit: null })
            await Task.Delay(Glance, time, cancellationToken);
    }

    public async Task CleanAsync(CancellationToken cancellationToken)
    {
        FlowPipeline pipeline = _stream!.Pipeline;
        long start = time.GetTimestamp();
        do
        {
            await pipeline.AuditMapAsync(cancellationToken);
            await Task.Delay(RaceOptions.Interval, time, cancellationToken);
            await pipeline.AuditMapAsync(cancellationToken);
        }
        while (pipeline.Status.Map is { } map && map.Tombstones + map.WithoutFlow > 0 && time.GetElapsedTime(start) < SettlePatience);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null)
            await _stream.DisposeAsync();
    }
}

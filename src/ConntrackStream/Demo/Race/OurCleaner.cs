using ConntrackStream.Pipeline;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Delete;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>This service's own tap, live view, map audit and delete stage, with <c>Map:Mode=delete</c>.</summary>
/// <param name="levers">Guards that a negative control takes away; null for the service as it is.</param>
internal sealed class OurCleaner(TimeProvider time, MapLevers? levers = null) : IRaceCleaner
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(10);

    private BriefStream? _stream;
    private MapCleaner? _cleaning;

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
        _cleaning = new MapCleaner(
            map, MapKernel.Of(node.Namespace, NullLogger.Instance), NullLogger.Instance, levers ?? new MapLevers());
        _stream = new BriefStream(node.Namespace, [], new PipelineOptions { Stages = [_cleaning] }, time);
        await _stream.StartAsync(cancellationToken);
        while (_cleaning.Status.LastAudit is null)
            await Task.Delay(Glance, time, cancellationToken);
    }

    public async Task CleanAsync(CancellationToken cancellationToken)
    {
        MapCleaner cleaning = _cleaning!;
        long start = time.GetTimestamp();
        do
        {
            await cleaning.AuditAsync(cancellationToken);
            await Task.Delay(RaceOptions.Interval, time, cancellationToken);
            await cleaning.AuditAsync(cancellationToken);
        }
        while (cleaning.Status is { } map && map.Tombstones + map.WithoutFlow > 0 && time.GetElapsedTime(start) < SettlePatience);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null)
            await _stream.DisposeAsync();
    }
}

using ConntrackStream.Pipeline.Stages;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning;

/// <summary>Looks keys of a map up in the view, for tools that show them.</summary>
public sealed class MapLookup : ILoopStage
{
    private StageContext? _context;
    private MapMatcher? _matcher;

    /// <inheritdoc/>
    public void Attach(StageContext context) => _context = context;

    /// <summary>
    /// One call a batch; the first one goes over the whole view, which takes some 20 ms for a million flows. From any thread.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is not attached to a pipeline.</exception>
    public Task<IReadOnlyList<MapMatch>> MatchAsync(MapEntryBatch batch, CancellationToken cancellationToken)
    {
        StageContext context = _context ?? throw new InvalidOperationException("not attached to a pipeline");
        return context.InvokeAsync<IReadOnlyList<MapMatch>>(
            () =>
            {
                _matcher ??= new MapMatcher(context.View);
                List<MapMatch> matches = new(batch.Count);
                foreach (ref readonly MapEntry entry in batch.Span)
                    matches.Add(_matcher.Match(entry.Key));
                return matches;
            },
            cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

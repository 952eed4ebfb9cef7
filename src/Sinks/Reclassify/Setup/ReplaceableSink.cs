using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Reclassify.Setup;

/// <summary>A sink whose work is bound to one network namespace: another takes its place when another namespace is followed.</summary>
internal sealed class ReplaceableSink<T>(T first) : IFlowSink
    where T : class, IFlowSink
{
    private readonly SemaphoreSlim _turn = new(1, 1); // calls of the sink, and its replacement
    private volatile T? _sink = first;

    public string Name { get; } = first.Name;

    /// <summary>Null between two.</summary>
    internal T? Current => _sink;

    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        if (_sink is { } sink)
            await sink.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken) =>
        CallAsync(sink => sink.WriteAsync(batch, cancellationToken), cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken) =>
        CallAsync(sink => sink.FlushAsync(cancellationToken), cancellationToken);

    /// <summary>Ends the present one and starts the next; null for none, and changes pass by.</summary>
    internal async Task ReplaceAsync(T? next, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_sink is { } old)
            {
                _sink = null;
                await old.DisposeAsync().ConfigureAwait(false);
            }

            if (next is null)
                return;
            _sink = next; // disposed with this one, if it cannot start
            await next.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_sink is { } sink)
            await sink.DisposeAsync().ConfigureAwait(false);
        _turn.Dispose();
    }

    private async ValueTask CallAsync(Func<T, ValueTask> call, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_sink is { } sink)
                await call(sink).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}

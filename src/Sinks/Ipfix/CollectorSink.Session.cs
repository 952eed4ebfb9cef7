using ConntrackStream.EventTap;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Ipfix;

// Connections to the collector, one after the other, on a task of their own.
internal sealed partial class CollectorSink
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(10);

    private readonly CollectorConnector _connector;
    private readonly RepeatedSession<CollectorException> _sessions;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _attempted = new(TaskCreationOptions.RunContinuationsAsynchronously); // the first connection
    private Task _running = Task.CompletedTask;
    private volatile string _state = "not started";
    private volatile CollectorConnection? _connection; // null while there is none
    private long? _warnedAt; // timestamp; the session's task's

    private async Task RunAsync()
    {
        try
        {
            await _sessions.RunAsync(TrySessionAsync, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or CollectorException && _stop.IsCancellationRequested)
        {
            _state = "stopped";
        }
        finally
        {
            _attempted.TrySetResult();
        }
    }

    /// <summary>Whatever ends a session, the next one is tried: this task is awaited at the end only.</summary>
    private async ValueTask TrySessionAsync(CancellationToken stop)
    {
        try
        {
            await SessionAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not CollectorException && !(e is OperationCanceledException && stop.IsCancellationRequested))
        {
            throw new CollectorException($"{e.GetType()}: {e.Message}", e);
        }
    }

    private async ValueTask SessionAsync(CancellationToken stop)
    {
        _state = "connecting";
        CollectorConnection connection = await _connector.OpenAsync(stop).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            _sessions.Begun();
            Interlocked.Increment(ref Counters.Connections);
            ReportConnected(connection);
            (_connection, _state) = (connection, "connected");
            _attempted.TrySetResult();
            try
            {
                string reason = await connection.Ended.WaitAsync(stop).ConfigureAwait(false);
                throw new CollectorException(reason);
            }
            finally
            {
                _connection = null;
            }
        }
    }

    /// <summary>A datagram socket is open at once, which says nothing of the collector.</summary>
    private void ReportConnected(CollectorConnection connection)
    {
        if (Counters.Connections == 1)
            _logger.CollectorConnected(_address.ToString());
        else if (!connection.IsDatagram && _warnedAt is not null)
            _logger.CollectorRecovered(_address.ToString(), Counters.Dropped);
        if (!connection.IsDatagram)
            _warnedAt = null;
    }

    private void OnWait(TimeSpan wait, CollectorException failure)
    {
        Interlocked.Increment(ref Counters.Failures);
        _state = $"tries again {WaitText.Of(wait)}: {failure.Message}";
        if (_warnedAt is not { } warnedAt || _time.GetElapsedTime(warnedAt) >= WarningInterval)
        {
            _logger.CollectorFailed(_address.ToString(), failure.Message.TrimEnd('.'), WaitText.Of(wait));
            _warnedAt = _time.GetTimestamp();
        }

        _attempted.TrySetResult();
    }
}

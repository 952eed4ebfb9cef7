namespace ConntrackStream.Pipeline.Loop;

/// <summary>
/// An interval, for a thread that does nothing else: by the machine's clock the thread sleeps by itself, where a timer of the framework
/// would wake two others before it. Any other time, as in tests, has its own timer.
/// </summary>
public sealed class Pulse(TimeSpan interval, TimeProvider time) : IDisposable
{
    private readonly PeriodicTimer? _timer = time == TimeProvider.System ? null : new PeriodicTimer(interval, time);

    /// <summary>Waits until the interval is over.</summary>
    /// <returns>False when it was stopped.</returns>
    public bool Wait(CancellationToken stop)
    {
        if (_timer is null)
            return !stop.WaitHandle.WaitOne(interval);
        try
        {
            return _timer.WaitForNextTickAsync(stop).AsTask().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => _timer?.Dispose();
}

using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Service.Api.Streams;

/// <summary>
/// Changes for any number of clients by one subscription. There is none, and no memory for changes, before the first client, nor from some
/// time after the last one on: a service that no client listens to does nothing here.
/// </summary>
/// <param name="keptChanges">In the ring.</param>
/// <param name="keepFor">How long the subscription outlives the last client.</param>
internal sealed class ChangeFeed(IObservable<FlowChangeBatch> changes, int keptChanges, TimeSpan keepFor, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private ChangeRing? _ring;
    private IDisposable? _subscription;
    private ITimer? _ending;
    private int _clients;
    private int _turn; // of the ending under way: one that is overtaken by a client does nothing
    private bool _isDisposed;

    /// <summary>A client has come. Each call needs one of <see cref="Leave"/>.</summary>
    internal ChangeRing Enter()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _clients++;
            _turn++;
            _ending?.Dispose();
            _ending = null;
            if (_ring is { } kept)
                return kept;
            ChangeRing ring = _ring = new ChangeRing(keptChanges, HashSeed.Random().A);
            _subscription = changes.Subscribe(ring.Add, _ => ring.End(), ring.End);
            return ring;
        }
    }

    /// <summary>A client has gone.</summary>
    internal void Leave()
    {
        lock (_lock)
        {
            if (--_clients > 0 || _isDisposed)
                return;
            int turn = ++_turn;
            if (keepFor == TimeSpan.Zero)
                Drop();
            else
                _ending = time.CreateTimer(_ => End(turn), null, keepFor, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            Drop();
        }
    }

    private void End(int turn)
    {
        lock (_lock)
        {
            if (turn == _turn)
                Drop();
        }
    }

    private void Drop()
    {
        _ending?.Dispose();
        _subscription?.Dispose();
        _ring?.End();
        (_ending, _subscription, _ring) = (null, null, null);
    }
}

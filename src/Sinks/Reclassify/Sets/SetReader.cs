using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Messages;
using ConntrackStream.Sinks.Reclassify.Sets.Nfts;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Reclassify.Sets;

/// <summary>
/// The thread that keeps the mirrors up with the kernel: it waits for notifications of nftables, and for the time of the next reading.
/// </summary>
internal sealed class SetReader
{
    private readonly SourceList _sources;
    private readonly Mirror _mirror;
    private readonly ReadingTurns _turns;
    private readonly IClassifierHost _host;
    private readonly NftSource[] _nft;
    private readonly SetLink _link;
    private readonly NftNotifications _notifications;
    private readonly WakeEvent _wake = new();
    private readonly ITimer _timer;
    private readonly TaskCompletionSource _firstPass = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private volatile string? _fault;

    /// <exception cref="NetlinkException">No socket can be opened there.</exception>
    internal SetReader(SourceList sources, Mirror mirror, NetworkNamespace networkNamespace, TimeSpan interval, IClassifierHost host)
    {
        (_sources, _mirror, _host) = (sources, mirror, host);
        _turns = new ReadingTurns(sources.All, mirror.Time, interval);
        _nft = [.. sources.All.OfType<NftSource>()];
        _link = new SetLink(networkNamespace);
        _link.Open();
        _notifications = NftNotifications.Open(networkNamespace, join: _nft.Length > 0);
        _timer = mirror.Time.CreateTimer(_ => _wake.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Why the sets are not kept up with any longer; null while they are.</summary>
    internal string? Fault => _fault;

    /// <summary>Starts the thread.</summary>
    /// <returns>Completes when the reading of every set has been tried.</returns>
    internal Task StartAsync()
    {
        new Thread(Run) { IsBackground = true, Name = "sets" }.UnsafeStart();
        return _firstPass.Task;
    }

    internal async Task StopAsync()
    {
        _stopping = true;
        _wake.Set();
        await _ended.Task.ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false); // waits for its callback
        _wake.Dispose();
    }

    private void Run()
    {
        try
        {
            using SocketPoll poll = new(_notifications.Socket.Handle, _wake, "waiting for notifications of nftables");
            while (!_stopping)
            {
                Listen();
                if (_turns.Take(_link, out TimeSpan idle))
                {
                    _mirror.Gains.Tell(_host);
                    _sources.Prune();
                    continue;
                }

                _firstPass.TrySetResult();
                _timer.Change(idle, Timeout.InfiniteTimeSpan);
                poll.Wait(Timeout.Infinite);
            }
        }
        catch (NetlinkException e)
        {
            _fault = e.Message;
            _mirror.Logger.SetReaderFailed(e.Message);
            _firstPass.TrySetException(e);
        }
        finally
        {
            _notifications.Dispose();
            _link.Dispose();
            _firstPass.TrySetCanceled();
            _ended.SetResult();
        }
    }

    private void Listen()
    {
        long lost = _notifications.Drain(_nft, _turns.Demand);
        if (lost > 0)
        {
            _mirror.Logger.SetNotificationsLost(lost);
            foreach (NftSource source in _nft)
                _turns.Demand(source);
        }

        _mirror.Gains.Tell(_host);
    }
}

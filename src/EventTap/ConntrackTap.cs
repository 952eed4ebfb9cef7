using System.Threading.Channels;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap;

/// <summary>
/// Listens to the kernel's conntrack events and puts them, decoded and in batches, into a bounded channel, with all that a follower must
/// know: Connected, Disconnected, Overrun and Barrier stand where they belong in the order of events. Reopens a failed socket for ever.
/// It writes to the channel beside others and completes it only if it breaks by a fault of its own, with that fault.
/// </summary>
public sealed class ConntrackTap : IAsyncDisposable
{
    private readonly TapOptions _options;
    private readonly ChannelWriter<TapMessage> _channel;
    private readonly FlowBatchPool _pool;
    private readonly TimeProvider _time;
    private readonly ILogger<ConntrackTap> _logger;
    private readonly Func<TapSocket> _open;
    private readonly Random _random;
    private readonly SemaphoreSlim _lifecycle = new(1, 1); // guards the two below
    private CancellationTokenSource? _stop;
    private Task? _run;
    private volatile TapReader? _reader; // null while not connected
    private long _lastGood; // of the last reader
    private volatile bool _isUrgent;

    /// <summary>A tap that listens to nothing before <see cref="StartAsync"/>.</summary>
    /// <param name="channel">Bounded: a full one holds up the reader, and the kernel's buffer takes the load.</param>
    /// <param name="pool">Where its batches come from; shared with whoever else rents.</param>
    /// <param name="time">The clock of receipt and of the waits before a reopen.</param>
    /// <exception cref="ArgumentException">An option is out of its range: <see cref="TapOptions.FindFault"/>.</exception>
    public ConntrackTap(
        TapOptions options, ChannelWriter<TapMessage> channel, FlowBatchPool pool, TimeProvider time, ILogger<ConntrackTap> logger)
        : this(options, channel, pool, time, logger, () => TapSocket.Open(options, time, logger), Random.Shared)
    {
    }

    /// <summary>
    /// The same with another way to open its sockets, for whoever must know of each, and with the source of the waits' jitter.
    /// </summary>
    /// <param name="open">Called by <see cref="StartAsync"/> and, on a pool thread, for each reopen; <see cref="TapSocket.Open"/> does the
    /// work.</param>
    /// <exception cref="ArgumentException">An option is out of its range: <see cref="TapOptions.FindFault"/>.</exception>
    public ConntrackTap(
        TapOptions options,
        ChannelWriter<TapMessage> channel,
        FlowBatchPool pool,
        TimeProvider time,
        ILogger<ConntrackTap> logger,
        Func<TapSocket> open,
        Random random)
    {
        if (options.FindFault() is { } fault)
            throw new ArgumentException(fault, nameof(options));
        _options = options;
        _channel = channel;
        _pool = pool;
        _time = time;
        _logger = logger;
        _open = open;
        _random = random;
    }

    /// <summary>What has been read, refused and lost since this object was made.</summary>
    public TapCounters Counters { get; } = new();

    /// <summary>
    /// Opens the event socket and starts to read. Does nothing when started; may be used again after <see cref="StopAsync"/>.
    /// </summary>
    /// <exception cref="NetlinkException">The first open failed: EPERM, EPROTONOSUPPORT… Later failures are retried instead.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _lifecycle.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_run is not null)
                return;
            TapSocket first = _open();
            _stop = new CancellationTokenSource();
            CancellationToken stop = _stop.Token;
            _run = Task.Run(() => KeepReadingAsync(first, stop), CancellationToken.None);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>
    /// Stops at once, in a reconnect and with a full channel too. What the reader holds goes to the channel if that
    /// has room. Does nothing when stopped.
    /// </summary>
    public async Task StopAsync()
    {
        await _lifecycle.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_run is null || _stop is null)
                return;
            await _stop.CancelAsync().ConfigureAwait(false);
            await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a fault was logged and is in the channel
            _stop.Dispose();
            _stop = null;
            _run = null;
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>
    /// Stops, and reports it with a <see cref="TapMessageKind.Disconnected"/>, so that <see cref="StartAsync"/>
    /// may follow. Does nothing when stopped.
    /// </summary>
    public async Task SuspendAsync(TapBreak why, CancellationToken cancellationToken)
    {
        if (_run is null)
            return;
        await StopAsync().ConfigureAwait(false);
        TapMessage message = new(TapMessageKind.Disconnected)
        {
            From = _lastGood,
            To = _time.UnixNanoseconds() + UnixTime.ClockResolution,
            Break = why,
        };
        await _channel.WriteAsync(message, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the kernel granted the event socket, in bytes; null while none is open.</summary>
    public int? BufferBytes => _reader?.BufferBytes;

    /// <summary>What waits on the event socket now; null while none is open. From any thread.</summary>
    public SocketMemory? ReadMemory()
    {
        try
        {
            return _reader?.ReadMemory();
        }
        catch (Exception e) when (e is NetlinkException or ObjectDisposedException)
        {
            return null; // the socket has failed, and the next one is on its way
        }
    }

    /// <summary>
    /// Enlarges the receive buffer if nf_conntrack_max has become larger and no size is configured. From
    /// any thread; the reader does not notice.
    /// </summary>
    /// <returns>It has grown.</returns>
    public bool GrowBuffer()
    {
        if (_options.ReceiveBufferBytes is not null || _reader is not { } reader)
            return false;
        try
        {
            return reader.GrowBuffer(_options.Namespace.Run(SocketBuffer.DefaultBytes), _logger);
        }
        catch (Exception e) when (e is NetlinkException or ObjectDisposedException)
        {
            return false; // the socket has failed, and the next one gets the right size
        }
    }

    /// <summary>
    /// Asks for a <see cref="TapMessageKind.Barrier"/> behind every event the kernel has queued for this tap by now. From any thread, never
    /// waits. A request is forgotten when the socket fails before it is answered: ask again after the next
    /// <see cref="TapMessageKind.Connected"/>.
    /// </summary>
    /// <returns>False when not connected, or when 256 requests are waiting already.</returns>
    public bool RequestBarrier(long token) => _reader?.RequestBarrier(token) ?? false;

    /// <summary>
    /// Events must not gather in the kernel, whatever <see cref="TapOptions.BatchDelay"/> says: each is handed on as soon as it comes. From
    /// any thread, at once.
    /// </summary>
    public bool IsUrgent
    {
        get => _isUrgent;
        set
        {
            _isUrgent = value;
            if (value)
                _reader?.Wake();
        }
    }

    /// <summary>As <see cref="StopAsync"/>; any number of times.</summary>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private async Task KeepReadingAsync(TapSocket first, CancellationToken stop)
    {
        TapReconnectOptions waits = _options.Reconnect;
        RepeatedSession<NetlinkException> session = new(
            waits.NewBackoff(_random), waits.HealthyAfter, _time, (wait, _) => _logger.ReopenIn(wait));
        TapSocket? opened = first;
        int failedAttempts = 0;
        try
        {
            await session.RunAsync(
                async token =>
                {
                    TapSocket socket = opened ?? Reopen(ref failedAttempts);
                    opened = null;
                    await ReadSocketAsync(socket, session, token).ConfigureAwait(false);
                },
                stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
#pragma warning disable CA1031 // goes to the channel's reader, who cannot miss it
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (_channel.TryComplete(e)) // false: the receiver has completed it, it wants no more
                _logger.ReaderFaulted(e);
        }
        finally
        {
            opened?.Dispose();
        }
    }

    private TapSocket Reopen(ref int failedAttempts)
    {
        try
        {
            TapSocket socket = _open();
            Counters.Reconnects++;
            _logger.Reconnected(failedAttempts);
            failedAttempts = 0;
            return socket;
        }
        catch (NetlinkException e)
        {
            Counters.FailedReconnects++;
            _logger.ReopenFailed(++failedAttempts, e.Message);
            throw;
        }
    }

    private async Task ReadSocketAsync(TapSocket socket, RepeatedSession<NetlinkException> session, CancellationToken stop)
    {
        using TapSocket owned = socket;
        using TapReader reader = new(socket, _options, _channel, _pool, _time, Counters, () => _isUrgent, stop);
        session.Begun();
        try
        {
            _reader = reader; // before Connected: whoever sees that may ask for a barrier
            await _channel.WriteAsync(new TapMessage(TapMessageKind.Connected), stop).ConfigureAwait(false);
            await reader.RunAsync().ConfigureAwait(false);
        }
        catch (NetlinkException e)
        {
            _reader = null;
            _logger.Disconnected(session.Lived, e.Message);
            TapMessage message = new(TapMessageKind.Disconnected)
            {
                From = reader.LastGood,
                To = _time.UnixNanoseconds() + UnixTime.ClockResolution,
                Error = e,
            };
            await _channel.WriteAsync(message, stop).ConfigureAwait(false);
            throw;
        }
        finally
        {
            _lastGood = reader.LastGood;
            _reader = null;
        }
    }
}

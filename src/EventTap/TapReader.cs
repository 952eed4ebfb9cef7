using System.Threading.Channels;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap;

/// <summary>
/// Reads one event socket until it fails or the tap stops, on a thread of its own. All fields belong to that thread, but for the barriers.
/// When the channel is full it waits: the kernel's buffer takes the load, and what that cannot hold the kernel counts.
/// </summary>
internal sealed class TapReader : IDisposable
{
    /// <summary>
    /// A failed allocation can lose an event without queueing another; so drops are looked at this often even when nothing comes.
    /// </summary>
    private const int IdleCheckMilliseconds = 5000;

    private const int SmallBuffer = 1 << 20; // in which events must not gather: they would overrun it

    private readonly TapSocket _socket;
    private readonly ChannelWriter<TapMessage> _channel;
    private readonly FlowBatchPool _pool;
    private readonly TimeProvider _time;
    private readonly TapCounters _counters;
    private readonly Func<bool> _isUrgent;
    private readonly CancellationToken _stop;
    private readonly DatagramRing _ring = new();
    private readonly WakeEvent _wake = new();
    private readonly SocketPoll _poll;
    private readonly SocketDrops _drops;
    private readonly TapBarriers _barriers;
    private readonly GatherPace? _gathering; // null: events are taken as they come
    private readonly FlowFilter? _filter; // null: every flow
    private FlowBatch? _batch;
    private bool _hadError; // poll said so
    private long _lossFreeAt; // every drop before it is counted and told
    private long _drainedAt; // the socket's queue held nothing older

    internal TapReader(
        TapSocket socket,
        TapOptions options,
        ChannelWriter<TapMessage> channel,
        FlowBatchPool pool,
        TimeProvider time,
        TapCounters counters,
        Func<bool> isUrgent,
        CancellationToken stop)
    {
        _socket = socket;
        _channel = channel;
        _pool = pool;
        _time = time;
        _counters = counters;
        _isUrgent = isUrgent;
        _stop = stop;
        _poll = new SocketPoll(socket.Netlink.Handle, _wake);
        _drops = new SocketDrops(socket.Netlink);
        _barriers = new TapBarriers(socket.Netlink, _wake);
        _filter = options.Filter.Stable is { IsEmpty: false } filter ? filter : null;
        _lossFreeAt = _drainedAt = socket.OpenedAt;
        if (socket.BufferBytes >= SmallBuffer && options.BatchDelay > TimeSpan.Zero)
            _gathering = new GatherPace(options.BatchDelay, socket.OpenedAt);
    }

    /// <summary>Every event before it has been read, or told as an overrun: what a failure can have lost is younger.</summary>
    internal long LastGood => _drainedAt;

    /// <inheritdoc cref="TapSocket.Grow"/>
    internal bool GrowBuffer(long wanted, ILogger logger) => _socket.Grow(wanted, logger);

    internal int BufferBytes => _socket.BufferBytes;

    /// <inheritdoc cref="SocketMemory.Of"/>
    internal SocketMemory ReadMemory() => SocketMemory.Of(_socket.Netlink);

    /// <summary>Ends a rest or a wait, unless the reader has ended. From any thread.</summary>
    internal void Wake() => _barriers.Wake();

    /// <inheritdoc cref="TapBarriers.Request"/>
    internal bool RequestBarrier(long token) => _barriers.Request(token);

    /// <summary>Starts the thread.</summary>
    /// <returns>Ends when the tap stops; fails with a <see cref="NetlinkException"/> when the socket does.</returns>
    internal Task RunAsync()
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                Read();
                ended.SetResult();
            }
#pragma warning disable CA1031 // carried to whoever awaits the reader
            catch (Exception e)
#pragma warning restore CA1031
            {
                ended.SetException(e);
            }
        })
        { IsBackground = true, Name = "conntrack-tap" };
        thread.UnsafeStart();
        return ended.Task;
    }

    /// <summary>To be called once the thread has ended.</summary>
    public void Dispose()
    {
        _barriers.Close();
        _poll.Dispose();
        _wake.Dispose();
    }

    private void Read()
    {
        NeverWaits.Enter();
        using CancellationTokenRegistration registration =
            _stop.UnsafeRegister(static barriers => ((TapBarriers)barriers!).Wake(), _barriers);
        try
        {
            while (!_stop.IsCancellationRequested)
                ReadRound();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        finally
        {
            _barriers.Close();
            FlushWithoutWaiting();
        }
    }

    private void ReadRound()
    {
        bool allSent = _barriers.SendPending();
        long before = _time.UnixNanoseconds();
        int count = Receive();
        TellLoss();
        if (count == DatagramRing.Slots)
            return; // more may wait
        _drainedAt = before;
        Flush();
        if (!allSent)
            return; // there is room for them now
        int rest = count > 0 && !_isUrgent() ? _gathering?.RestAfter(count, before) ?? 0 : 0;
        if (rest > 0)
            _poll.WaitForWake(rest); // in a stream there is more by then, no need to ask
        else
            _hadError = _poll.Wait(IdleCheckMilliseconds);
    }

    private int Receive()
    {
        int count = _ring.Receive(_socket.Netlink.Handle);
        if (count != -(int)Errno.EAGAIN)
            _hadError = false;
        switch (-count)
        {
            case (int)Errno.EAGAIN:
                if (_hadError) // which no receive explains: the socket is of no more use
                    throw new NetlinkException("waiting for conntrack events", Errno.EIO);
                return 0;
            case (int)Errno.ENOBUFS:
                return 0; // a loss, told by its count
            case > 0:
                throw new NetlinkException("receiving conntrack events", (Errno)(-count));
        }

        long now = _time.UnixNanoseconds();
        for (int i = 0; i < count; i++)
            Take(i, now);
        _counters.LastReceived = now;
        return count;
    }

    private void Take(int slot, long now)
    {
        ReadOnlySpan<byte> datagram = _ring[slot];
        uint sender = _ring.Sender(slot);
        _counters.Bytes += datagram.Length;
        if (_ring.IsTruncated(slot))
            _counters.Malformed++;
        else if (sender == 0)
            Decode(datagram, now);
        else if (_barriers.TryRead(datagram, sender, out long token))
            TellBarrier(token);
        else
            _counters.Foreign++;
    }

    // An event comes alone in its datagram; several are read all the same.
    private void Decode(ReadOnlySpan<byte> datagram, long now)
    {
        MessageReader messages = new(datagram);
        while (messages.Next())
        {
            _batch ??= _pool.Rent();
            DecodeResult result = FlowDecoder.Decode(messages.Message, _batch, now);
            if (result == DecodeResult.Decoded)
                Accept(_batch);
            else if (result == DecodeResult.Malformed)
                _counters.Malformed++;
            if (_batch.IsFull)
                Flush();
        }

        if (messages.Malformed)
            _counters.Malformed++;
    }

    private void Accept(FlowBatch batch)
    {
        ref readonly FlowEvent decoded = ref batch.Span[^1];
        if (_filter is not null && !_filter.Matches(decoded.Flow))
        {
            batch.DropLast();
            _counters.Filtered++;
            return;
        }

        switch (decoded.Type)
        {
            case FlowEventType.New:
                _counters.New++;
                break;
            case FlowEventType.Update:
                _counters.Update++;
                break;
            case FlowEventType.Destroy:
                _counters.Destroy++;
                break;
        }
    }

    private void TellBarrier(long token)
    {
        TellLoss(); // what was lost before the marker must be known before it
        Flush();
        Write(new TapMessage(TapMessageKind.Barrier) { Token = token });
    }

    private void TellLoss()
    {
        long before = _time.UnixNanoseconds();
        uint lost = _drops.ReadIncrease();
        _counters.PeakQueuedBytes = Math.Max(_counters.PeakQueuedBytes, _drops.QueuedBytes);
        if (lost > 0)
        {
            _counters.Lost += lost;
            _counters.Overruns++;
            long now = Math.Max(_time.UnixNanoseconds(), _lossFreeAt) + UnixTime.ClockResolution;
            Flush();
            Write(new TapMessage(TapMessageKind.Overrun) { Lost = lost, From = _lossFreeAt, To = now });
        }

        _lossFreeAt = before;
    }

    private void Flush()
    {
        if (_batch is not { Count: > 0 } batch)
            return;
        _batch = null;
        Write(new TapMessage(TapMessageKind.Events) { Batch = batch });
    }

    private void Write(TapMessage message)
    {
        while (!_channel.TryWrite(message))
        {
            // Blocks this thread, which is the reader's own, without spinning; the token frees it.
            if (!_channel.WaitToWriteAsync(_stop).AsTask().GetAwaiter().GetResult())
                throw new ChannelClosedException();
        }
    }

    private void FlushWithoutWaiting()
    {
        if (_batch is not { } batch)
            return;
        _batch = null;
        if (batch.Count == 0 || !_channel.TryWrite(new TapMessage(TapMessageKind.Events) { Batch = batch }))
            batch.Release();
    }
}

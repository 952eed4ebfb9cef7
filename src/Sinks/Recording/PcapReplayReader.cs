using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Recording;

/// <summary>
/// Reads a capture of conntrack events, at the speed at which they were recorded or as fast as they are taken. Not thread-safe; for one
/// reading.
/// </summary>
/// <param name="isPaced">At recorded speed.</param>
internal sealed class PcapReplayReader(Stream stream, FlowBatchPool pool, TimeProvider time, bool isPaced, bool skipBad) : IReplayReader
{
    /// <summary>Events that are so close together are handed on together.</summary>
    private const long Together = 10_000_000; // ns

    private readonly PcapPackets _packets = new(stream);
    private FlowBatch? _batch;
    private long _batchTime; // of its first packet, ns since the Unix epoch
    private long _firstTime; // of the capture
    private long _lastTime;
    private long _began; // TimeProvider timestamp
    private FlowGap? _gap; // behind the batch

    public long Lines => _packets.Count;

    public long Events { get; private set; }

    public long Gaps { get; private set; }

    public long BadLines { get; private set; }

    public ReplayProblem? FirstProblem { get; private set; }

    public async IAsyncEnumerable<ReplayItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            if (!await _packets.TryBeginAsync(cancellationToken).ConfigureAwait(false))
                Fail(_packets.Problem!);
            while (FirstProblem is null || (skipBad && _packets.Problem is null))
            {
                bool isOpen = await _packets.NextAsync(cancellationToken).ConfigureAwait(false);
                if (_batch is { Count: > 0 } batch && (!isOpen || batch.IsFull || _packets.Time - _batchTime > Together))
                {
                    await PaceAsync(_batchTime, cancellationToken).ConfigureAwait(false);
                    _batch = null;
                    yield return new ReplayItem(batch, Gap: null);
                }

                if (!isOpen)
                    break;
                Take();
                if (_gap is not { } gap)
                    continue;
                _gap = null;
                if (_batch is { Count: > 0 } before)
                {
                    _batch = null;
                    yield return new ReplayItem(before, Gap: null);
                }

                yield return new ReplayItem(Batch: null, gap);
            }

            if (_packets.Problem is { } problem)
                Fail(problem);
            if (_batch is { Count: > 0 } rest) // what came before a fault
            {
                _batch = null;
                yield return new ReplayItem(rest, Gap: null);
            }
        }
        finally
        {
            _batch?.Release();
            _batch = null;
        }
    }

    private void Take()
    {
        if (_firstTime == 0)
        {
            _firstTime = _packets.Time;
            _began = time.GetTimestamp();
        }

        if (_packets.IsBad)
        {
            Bad("it was cut off, or is no netlink packet");
            return;
        }

        MessageReader messages = new(_packets.Datagram.Span);
        while (messages.Next())
            Take(messages.Header, messages.Message);
        if (messages.Malformed)
            Bad("a netlink message has a wrong length");
        _lastTime = _packets.Time;
    }

    private void Take(in MessageHeader header, ReadOnlySpan<byte> message)
    {
        if (header.Type == Nlmsg.NLMSG_OVERRUN)
        {
            long? lost = MemoryMarshal.TryRead(message[Nlmsg.HeaderLength..], out uint count) ? count : null;
            _gap = new FlowGap(FlowGapReason.Overrun, _lastTime, _packets.Time, lost, Recovered: null);
            Gaps++;
            return;
        }

        if (_batch is { IsFull: true }) // the kernel puts one event into a datagram
        {
            Bad("more than 256 events in one datagram");
            return;
        }

        if (_batch is null or { Count: 0 })
            _batchTime = _packets.Time;
        _batch ??= pool.Rent();
        DecodeResult result = FlowDecoder.Decode(message, _batch, _packets.Time);
        if (result == DecodeResult.Decoded)
            Events++;
        else if (result == DecodeResult.Malformed)
            Bad("a conntrack event cannot be read");
    }

    private async ValueTask PaceAsync(long at, CancellationToken cancellation)
    {
        if (!isPaced)
            return;
        TimeSpan left = TimeSpan.FromTicks((at - _firstTime) / TimeSpan.NanosecondsPerTick) - time.GetElapsedTime(_began);
        if (left > TimeSpan.Zero)
            await Task.Delay(left, time, cancellation).ConfigureAwait(false);
    }

    private void Bad(string problem)
    {
        BadLines++;
        FirstProblem ??= new ReplayProblem(_packets.Count, problem, "packet");
    }

    /// <summary>Nothing behind it can be read.</summary>
    private void Fail(string problem)
    {
        BadLines++;
        FirstProblem ??= new ReplayProblem(_packets.Count + 1, problem, "packet");
    }
}

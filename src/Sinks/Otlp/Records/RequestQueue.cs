using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>
/// Requests between the sink's thread, which fills them, and the exporter's task, which sends them: a bounded number of buffers. What has
/// no room is dropped and counted, and the first record that has room again is a gap. Thread-safe.
/// </summary>
internal sealed class RequestQueue
{
    private const int KeptBuffers = 2; // of those that are free: no garbage in steady work, and no memory of a peak

    private readonly Lock _gate = new();
    private readonly Queue<RequestBuffer> _full = new();
    private readonly Stack<RequestBuffer> _free = new();
    private readonly RecordEncoder _encoder;
    private readonly OtlpCounters _counters;
    private readonly Func<RequestBuffer> _make;
    private readonly int _mostBuffers;
    private RequestBuffer? _current;
    private int _buffers; // there are, free ones included
    private bool _isDue; // the current one is to be sent though it is not full
    private UntoldLoss _untold;

    /// <param name="requestBytes">Of the records of a request, at most.</param>
    /// <param name="memoryBytes">Of all requests.</param>
    internal RequestQueue(
        RecordEncoder encoder, byte[] resource, int requestBytes, long memoryBytes, OtlpCounters counters)
    {
        (_encoder, _counters) = (encoder, counters);
        byte[] scope = ResourceBytes.OfScope();
        _make = () => new RequestBuffer(requestBytes, resource, scope);
        _mostBuffers = (int)Math.Max(2, memoryBytes / requestBytes); // one is filled while one is sent
    }

    /// <summary>Records waiting to be sent.</summary>
    internal long Waiting
    {
        get
        {
            lock (_gate)
                return _full.Sum(static request => (long)request.Records) + (_current?.Records ?? 0);
        }
    }

    /// <summary>Requests, free buffers included.</summary>
    internal int Buffers
    {
        get
        {
            lock (_gate)
                return _buffers;
        }
    }

    /// <summary>At most half of the memory is in use.</summary>
    internal bool IsHalfEmpty
    {
        get
        {
            lock (_gate)
                return 2 * (_buffers - _free.Count) <= _mostBuffers;
        }
    }

    /// <summary>Something is to be sent, or a gap to be written.</summary>
    internal bool HasAny
    {
        get
        {
            lock (_gate)
                return _current is { IsEmpty: false } || _full.Count > 0 || !_untold.IsEmpty;
        }
    }

    /// <summary>A request is full, or due.</summary>
    internal bool HasRequest
    {
        get
        {
            lock (_gate)
                return _full.Count > 0 || _isDue;
        }
    }

    /// <summary>What <paramref name="choice"/> takes of a batch.</summary>
    /// <param name="from">How many of its changes have been added before.</param>
    /// <param name="drops">What has no room is dropped; else it ends the adding.</param>
    /// <returns>How many of its changes are done.</returns>
    internal int Add(FlowChangeBatch batch, int from, RecordChoice choice, long now, bool drops)
    {
        lock (_gate)
        {
            for (int at = from; at < batch.Count; at++)
            {
                ref readonly FlowChange change = ref batch.Span[at];
                if (!choice.Takes(change))
                    _counters.Filtered++;
                else if (!TryAdd(change, now, batch.UnreportedLossFrom))
                {
                    if (!drops)
                        return at;
                    Drop(change, now);
                }
            }

            return batch.Count;
        }
    }

    /// <summary>A single change.</summary>
    internal void Add(in FlowChange change, long now)
    {
        lock (_gate)
        {
            if (!TryAdd(change, now, unreportedFrom: 0))
                Drop(change, now);
        }
    }

    /// <summary>What was sent is lost after all, or may be: the next record is preceded by a gap.</summary>
    internal void AddLoss(in UntoldLoss loss)
    {
        lock (_gate)
            _untold.Add(loss);
    }

    /// <summary>What there is is to be sent, a loss that is not reported yet included.</summary>
    internal void MakeDue(long now)
    {
        lock (_gate)
        {
            TryReportLoss(now);
            _isDue = _current is { IsEmpty: false };
        }
    }

    /// <summary>The next request to send; null while there is none. <see cref="Return"/> it.</summary>
    internal RequestBuffer? TryTake()
    {
        lock (_gate)
        {
            if (_full.TryDequeue(out RequestBuffer? full))
                return full;
            if (!_isDue)
                return null;
            _isDue = false;
            (RequestBuffer? due, _current) = (_current, null);
            return due;
        }
    }

    /// <summary>It has been sent, or given up.</summary>
    internal void Return(RequestBuffer request)
    {
        request.Clear();
        lock (_gate)
        {
            if (_free.Count < KeptBuffers)
                _free.Push(request);
            else
                _buffers--;
        }
    }

    /// <summary>Since when what happened is not in any request, ns since the Unix epoch; 0 = nothing is missing.</summary>
    internal long UntoldFrom
    {
        get
        {
            lock (_gate)
                return _untold.IsEmpty ? 0 : _untold.From;
        }
    }

    /// <summary>The end: what is still here will not be sent.</summary>
    /// <returns>Records, those included that were counted as dropped before.</returns>
    internal long GiveUp()
    {
        lock (_gate)
        {
            while (_full.TryDequeue(out RequestBuffer? request))
                GiveUp(request);
            if (_current is not null)
                GiveUp(_current);
            _current = null;
            return _untold.Lost;
        }
    }

    private void GiveUp(RequestBuffer request)
    {
        _counters.NoRoom += request.Inside.Fresh;
        _untold.Add(request.Inside);
    }

    private bool TryAdd(in FlowChange change, long now, long unreportedFrom)
    {
        if (!TryReportLoss(now) || !TryAdd(change, now))
            return false;
        _current!.UnreportedFrom = unreportedFrom;
        return true;
    }

    private void Drop(in FlowChange change, long now)
    {
        long before = _untold.Fresh;
        _untold.Add(change, to: now);
        _counters.NoRoom += _untold.Fresh - before;
    }

    private bool TryReportLoss(long now)
    {
        if (_untold.IsEmpty)
            return true;
        FlowChange gap = new() { Kind = FlowChangeKind.Gap, Time = _untold.To, Gap = _untold.ToGap(FlowGapReason.SinkFailed) };
        if (!TryAdd(gap, now))
            return false;
        _untold = default;
        return true;
    }

    private bool TryAdd(in FlowChange change, long now)
    {
        if (_current is not null && _current.TryAdd(_encoder, change, now))
            return true;
        if (_current is not null)
        {
            _full.Enqueue(_current);
            _isDue = false;
        }

        _current = Take();
        return _current is not null && _current.TryAdd(_encoder, change, now);
    }

    private RequestBuffer? Take()
    {
        if (_free.TryPop(out RequestBuffer? free))
            return free;
        if (_buffers >= _mostBuffers)
            return null;
        _buffers++;
        return _make();
    }
}

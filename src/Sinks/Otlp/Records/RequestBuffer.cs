using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>
/// The records of one ExportLogsServiceRequest, written where they are sent from. Before them is room for the head, whose lengths are known
/// at the end only, and for gRPC's frame. Used by one thread at a time.
/// </summary>
internal sealed class RequestBuffer
{
    /// <summary>Before each message: gRPC's flag and length.</summary>
    internal const int FrameBytes = 5;

    private readonly byte[] _resource, _scope;
    private readonly byte[] _bytes;
    private readonly int _begin; // of the records
    private int _end;

    internal RequestBuffer(int length, byte[] resource, byte[] scope)
    {
        (_resource, _scope) = (resource, scope);
        _begin = FrameBytes + ResourceBytes.MostHeadBytes(resource, scope);
        _bytes = new byte[_begin + length];
        Clear();
    }

    /// <summary>What would be lost with it.</summary>
    internal UntoldLoss Inside { get; private set; }

    /// <summary>The latest time up to which events have been seen, ns since the Unix epoch; 0 = unknown.</summary>
    internal long Latest { get; private set; }

    /// <summary>Since when events are missing that no gap up to here reports, ns since the Unix epoch; 0 = none.</summary>
    internal long UnreportedFrom { get; set; }

    internal int Records { get; private set; }

    internal int Gaps { get; private set; }

    /// <summary>Of the records.</summary>
    internal int Bytes => _end - _begin;

    internal bool IsEmpty => Records == 0;

    /// <returns>False: it is full.</returns>
    internal bool TryAdd(RecordEncoder encoder, in FlowChange change, long observed)
    {
        if (_bytes.Length - _end < RecordEncoder.MostBytes)
            return false;
        _end += encoder.Write(_bytes.AsSpan(_end), change, observed);
        Records++;
        if (change.Kind == FlowChangeKind.Gap)
            Gaps++;
        UntoldLoss inside = Inside;
        inside.Add(change, to: 0);
        Inside = inside;
        Latest = Math.Max(Latest, SeenUntil(change));
        return true;
    }

    /// <summary>The request, with <see cref="FrameBytes"/> of room before it.</summary>
    internal Memory<byte> Complete()
    {
        int begin = _begin - ResourceBytes.HeadBytes(_resource, _scope, Bytes);
        ProtoWriter head = new(_bytes.AsSpan(begin));
        ResourceBytes.Write(ref head, _resource, _scope, Bytes);
        return _bytes.AsMemory((begin - FrameBytes).._end);
    }

    internal void Clear()
    {
        _end = _begin;
        (Records, Gaps, Latest, UnreportedFrom, Inside) = (0, 0, 0, 0, default);
    }

    /// <summary>What the pipeline concluded bears the time of the conclusion, when older events may have waited to be read.</summary>
    private static long SeenUntil(in FlowChange change) => change switch
    {
        { Gap: { } gap } => gap.To,
        { Origin: FlowOrigin.Event } or { Kind: FlowChangeKind.Started } => change.Time,
        _ => 0,
    };
}

using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>
/// Gathers the flows of one segment of a log's content and writes them: first the flows in the order of their first lines, in groups that
/// can be read by themselves, then for each address the flows that have it by their ports, then the addresses by their hashes.
/// </summary>
internal sealed class IndexSegment
{
    internal const int GroupLength = 32; // flows
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly List<Entry> _flows = [];
    private readonly Dictionary<(int Writer, ulong Number), int> _byId = [];
    private readonly List<(ulong Instance, ulong Writer)> _writers = [];
    private readonly Dictionary<(ulong Instance, ulong Writer), int> _byWriter = [];
    private readonly List<(int Flow, uint Offset)> _lines = [];
    private readonly List<ulong> _keys = [];
    private readonly List<int> _keyFlows = [];
    private readonly IndexBytes _odd = new(), _bytes = new();
    private long _begin, _lastOdd;

    /// <summary>Bytes of lines that are kept as they are.</summary>
    internal int OddLength => _odd.Length;

    internal void Begin(long at)
    {
        _flows.Clear();
        _byId.Clear();
        _writers.Clear();
        _byWriter.Clear();
        _lines.Clear();
        _keys.Clear();
        _keyFlows.Clear();
        _odd.Clear();
        _begin = _lastOdd = at;
    }

    internal void AddOdd(ReadOnlySpan<byte> line, long at)
    {
        _odd.Number((ulong)(at - _lastOdd));
        _odd.Number((ulong)line.Length);
        _odd.Bytes(line);
        _lastOdd = at;
    }

    internal void Add(in FlowEvent e, in IndexedId id, long at)
    {
        int writer = WriterOf(id);
        ref readonly Flow flow = ref e.Flow;
        int ends = HashCode.Combine(flow.Original, flow.Has(FlowFields.Reply) ? flow.Reply : default);
        if (!_byId.TryGetValue((writer, id.Number), out int number))
        {
            _byId.Add((writer, id.Number), number = _flows.Count);
            _flows.Add(new Entry { Writer = writer, Number = id.Number, Ends = ends, From = long.MaxValue, To = long.MinValue });
            AddKeys(flow, number);
        }

        Entry entry = _flows[number];
        if (entry.Ends != ends)
        {
            entry.IsStrange = true;
            AddKeys(flow, number);
        }

        bool isStart = e.Type == FlowEventType.New;
        entry.IsStrange |= entry.To != long.MinValue || (isStart && entry.Lines > 0); // after its end, or before its start
        entry.IsBegun |= isStart;
        entry.Lines++;
        Time(ref entry, e);
        _flows[number] = entry;
        _lines.Add((number, (uint)(at - _begin)));
    }

    /// <summary>As <see cref="Who.FlowLife"/> reads them; an end before its own line's start is not relied upon.</summary>
    private static void Time(ref Entry entry, in FlowEvent e)
    {
        ref readonly Flow flow = ref e.Flow;
        long start = flow.Has(FlowFields.StartTime) ? flow.StartTime : e.Type == FlowEventType.New ? e.Time : 0;
        if (start == 0)
            entry.IsStartUnknown = true;
        else
            entry.From = Math.Min(entry.From, Seconds(start));
        if (e.Type != FlowEventType.Destroy)
            return;
        long end = flow.Has(FlowFields.StopTime) ? flow.StopTime : e.Time;
        if (end <= 0 || (flow.Has(FlowFields.StartTime) && end < flow.StartTime))
            entry.IsStrange = true;
        else
            entry.To = Math.Max(entry.To, Seconds(end) + 1);
    }

    /// <summary>Rounded down.</summary>
    private static long Seconds(long time) => (time / NanosecondsPerSecond) - (time % NanosecondsPerSecond < 0 ? 1 : 0);

    private void AddKeys(in Flow flow, int number)
    {
        Span<ulong> keys = stackalloc ulong[4];
        keys[0] = IndexKey.Of(flow.Original, isSource: true);
        keys[1] = IndexKey.Of(flow.Original, isSource: false);
        int count = 2;
        if (flow.Has(FlowFields.Reply))
        {
            keys[count++] = IndexKey.Of(flow.Reply, isSource: true);
            keys[count++] = IndexKey.Of(flow.Reply, isSource: false);
        }

        for (int i = 0; i < count; i++)
        {
            if (keys[..i].Contains(keys[i]))
                continue;
            _keys.Add(keys[i]);
            _keyFlows.Add(number);
        }
    }

    private int WriterOf(in IndexedId id)
    {
        (ulong, ulong) writer = (id.Instance, id.Writer);
        if (_byWriter.TryGetValue(writer, out int known))
            return known;
        _byWriter.Add(writer, _writers.Count);
        _writers.Add(writer);
        return _writers.Count - 1;
    }

    /// <summary>Writes it and leaves it as it is.</summary>
    internal SegmentPlace Write(IndexPageWriter pages)
    {
        SegmentPlace place = new() { Begin = _begin, Flows = _flows.Count, FlowsAt = pages.Position };
        List<uint> groups = WriteFlows(pages);
        place = place with { GroupsAt = pages.Position };
        _bytes.Clear();
        groups.ForEach(_bytes.UInt32);
        pages.Write(_bytes.Written);
        place = place with { WritersAt = pages.Position, Writers = _writers.Count };
        _bytes.Clear();
        foreach ((ulong instance, ulong writer) in _writers)
        {
            _bytes.UInt64(instance);
            _bytes.UInt64(writer);
        }

        pages.Write(_bytes.Written);
        place = place with { PostingsAt = pages.Position };
        IndexBytes addresses = WritePostings(pages);
        place = place with { AddressesAt = pages.Position, Addresses = addresses.Length / SegmentPlace.AddressLength };
        pages.Write(addresses.Written);
        place = place with { OddAt = pages.Position, OddLength = _odd.Length };
        pages.Write(_odd.Written);
        return place;
    }

    private List<uint> WriteFlows(IndexPageWriter pages)
    {
        uint[] lines = LinesByFlow();
        List<uint> groups = [];
        long begin = pages.Position;
        Before before = default;
        for (int i = 0, line = 0; i < _flows.Count; line += _flows[i++].Lines)
        {
            if (i % GroupLength == 0)
            {
                groups.Add((uint)(pages.Position - begin));
                before = default;
            }

            _bytes.Clear();
            WriteFlow(_flows[i], lines.AsSpan(line, _flows[i].Lines), ref before);
            pages.Write(_bytes.Written);
        }

        return groups;
    }

    private void WriteFlow(in Entry flow, ReadOnlySpan<uint> lines, ref Before before)
    {
        bool isOther = flow.Writer != before.Writer, hasStart = !flow.IsStartUnknown, hasEnd = flow.To != long.MinValue;
        _bytes.Byte((byte)(
            (hasStart ? IndexFlags.HasStart : 0) | (hasEnd ? IndexFlags.HasEnd : 0) | (flow.IsStrange ? IndexFlags.IsStrange : 0)
            | (isOther ? IndexFlags.IsOtherWriter : 0) | (flow.IsBegun ? IndexFlags.IsBegun : 0)));
        if (isOther)
            _bytes.Number((ulong)flow.Writer);
        _bytes.Signed((long)(flow.Number - before.Number));
        if (hasStart)
            _bytes.Signed(flow.From - before.From);
        before = new Before(flow.Writer, flow.Number, hasStart ? flow.From : before.From, before.FirstLine);
        if (hasEnd)
            _bytes.Signed(flow.To - before.From);
        _bytes.Number((ulong)lines.Length);
        uint last = before.FirstLine;
        foreach (uint line in lines)
        {
            _bytes.Number(line - last);
            last = line;
        }

        before = before with { FirstLine = lines[0] };
    }

    private uint[] LinesByFlow()
    {
        int[] next = new int[_flows.Count];
        for (int i = 1; i < next.Length; i++)
            next[i] = next[i - 1] + _flows[i - 1].Lines;
        uint[] offsets = new uint[_lines.Count];
        foreach ((int flow, uint offset) in _lines)
            offsets[next[flow]++] = offset;
        return offsets;
    }

    private IndexBytes WritePostings(IndexPageWriter pages)
    {
        ulong[] keys = [.. _keys];
        int[] flows = [.. _keyFlows];
        Array.Sort(keys, flows);
        IndexBytes addresses = new();
        long begin = pages.Position;
        for (int i = 0; i < keys.Length;)
        {
            uint address = (uint)(keys[i] >> 16);
            int end = i;
            while (end < keys.Length && (uint)(keys[end] >> 16) == address)
                end++;
            addresses.UInt32(address);
            addresses.UInt32((uint)(pages.Position - begin));
            _bytes.Clear();
            _bytes.Number((ulong)(end - i));
            ushort port = 0;
            for (; i < end; i++)
            {
                _bytes.Number((ulong)((ushort)keys[i] - port));
                _bytes.Number((ulong)flows[i]);
                port = (ushort)keys[i];
            }

            pages.Write(_bytes.Written);
        }

        return addresses;
    }

    /// <summary>What a flow's numbers are written as differences from; zeros at the beginning of a group.</summary>
    private readonly record struct Before(int Writer, ulong Number, long From, uint FirstLine);

    private record struct Entry
    {
        internal int Writer, Ends, Lines;
        internal ulong Number;
        internal long From, To;
        internal bool IsStartUnknown, IsStrange, IsBegun;
    }
}

/// <summary>What the first byte of a flow says.</summary>
internal static class IndexFlags
{
    internal const int HasStart = 1, HasEnd = 2, IsStrange = 4, IsOtherWriter = 8, IsBegun = 16;
}

/// <summary>Where the parts of a segment are in the content of the index.</summary>
internal readonly record struct SegmentPlace
{
    internal const int Length = 11 * sizeof(ulong);
    internal const int AddressLength = 2 * sizeof(uint);

    /// <summary>In the content of the file.</summary>
    internal long Begin { get; init; }

    internal long Flows { get; init; }

    internal long FlowsAt { get; init; }

    internal long GroupsAt { get; init; }

    internal long WritersAt { get; init; }

    internal long Writers { get; init; }

    internal long PostingsAt { get; init; }

    internal long AddressesAt { get; init; }

    internal long Addresses { get; init; }

    internal long OddAt { get; init; }

    internal long OddLength { get; init; }

    internal void Write(IndexBytes to)
    {
        foreach (long value in (ReadOnlySpan<long>)[
            Begin, Flows, FlowsAt, GroupsAt, WritersAt, Writers, PostingsAt, AddressesAt, Addresses, OddAt, OddLength])
            to.UInt64((ulong)value);
    }

    internal static SegmentPlace Read(ref IndexCursor from) => new()
    {
        Begin = (long)from.UInt64(),
        Flows = (long)from.UInt64(),
        FlowsAt = (long)from.UInt64(),
        GroupsAt = (long)from.UInt64(),
        WritersAt = (long)from.UInt64(),
        Writers = (long)from.UInt64(),
        PostingsAt = (long)from.UInt64(),
        AddressesAt = (long)from.UInt64(),
        Addresses = (long)from.UInt64(),
        OddAt = (long)from.UInt64(),
        OddLength = (long)from.UInt64(),
    };
}

using System.Numerics;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>A flow to be looked at again.</summary>
internal struct Recheck
{
    internal FlowTuple Original;
    internal uint Id, Mark;
    internal UplinkPath PathNow;

    /// <summary>How often it was looked at.</summary>
    internal byte Look;

    /// <summary>How often it was refused for a reason that may pass.</summary>
    internal byte Refused;

    /// <summary>How often its answer was still pending.</summary>
    internal ushort Waited;

    internal ClientActivity Activity;
}

/// <summary>
/// Timer wheel: flows to look at again, by time. Adding and taking cost the same however many there are; entries are stored by value, in
/// one array that grows to the most that ever waited. Not thread-safe.
/// </summary>
/// <param name="capacity">Entries at most.</param>
internal sealed class RecheckWheel(int capacity)
{
    /// <summary>The wheel's step, ms: nothing is due sooner than asked for, and at most this much later.</summary>
    internal const long Tick = 50;

    private const int Slots = 1024; // × 50 ms = 51 s a turn; what is due later waits in its slot for its turn
    private const int None = -1;

    private readonly int[] _heads = CreateHeads();
    private Node[] _nodes = new Node[256];
    private int _used; // nodes ever used
    private int _free = None;
    private long _tick;

    internal int Count { get; private set; }

    /// <summary>Entries there was no room for.</summary>
    internal long Refused { get; private set; }

    /// <param name="due">ms, monotonic.</param>
    internal bool TryAdd(in Recheck recheck, long due)
    {
        if (Count >= capacity)
        {
            Refused++;
            return false;
        }

        int node = Rent();
        long tick = Math.Max((due + Tick - 1) / Tick, _tick + 1);
        ref int head = ref _heads[tick % Slots];
        _nodes[node] = new Node { Value = recheck, Tick = tick, Next = head };
        head = node;
        Count++;
        return true;
    }

    /// <summary>Moves what is due by <paramref name="now"/> (ms, monotonic) to <paramref name="due"/>.</summary>
    internal void Take(long now, List<Recheck> due)
    {
        long last = now / Tick;
        if (Count == 0)
        {
            _tick = Math.Max(_tick, last);
            return;
        }

        for (long turns = Math.Min(last - _tick, Slots), tick = last - turns + 1; tick <= last; tick++)
            TakeSlot(ref _heads[tick % Slots], last, due);
        _tick = Math.Max(_tick, last);
    }

    private void TakeSlot(ref int head, long last, List<Recheck> due)
    {
        int kept = None;
        for (int node = head; node != None;)
        {
            int next = _nodes[node].Next;
            if (_nodes[node].Tick <= last)
            {
                due.Add(_nodes[node].Value);
                _nodes[node].Next = _free;
                _free = node;
                Count--;
            }
            else
            {
                _nodes[node].Next = kept;
                kept = node;
            }

            node = next;
        }

        head = kept;
    }

    private int Rent()
    {
        if (_free != None)
        {
            int node = _free;
            _free = _nodes[node].Next;
            return node;
        }

        if (_used == _nodes.Length)
            Array.Resize(ref _nodes, (int)Math.Min(
                BitOperations.RoundUpToPowerOf2((uint)_used + 1), Math.Max((uint)capacity, (uint)_used + 1)));
        return _used++;
    }

    private static int[] CreateHeads()
    {
        int[] heads = new int[Slots];
        Array.Fill(heads, None);
        return heads;
    }

    private struct Node
    {
        internal Recheck Value;
        internal long Tick;
        internal int Next;
    }
}

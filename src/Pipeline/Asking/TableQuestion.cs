using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Asking;

/// <summary>
/// Tuples to be looked up in the kernel's table, and what it says. The loop fills it, asks, and takes the answer; in between it belongs to
/// <see cref="KernelAsker"/>'s thread. Made once and used again and again.
/// </summary>
/// <param name="byIdentity">
/// Only an entry with this very original tuple and id counts; otherwise any that has the tuple, as original or as reply.
/// </param>
public sealed class TableQuestion(bool byIdentity)
{
    private FlowTuple[] _tuples = new FlowTuple[64];
    private uint[] _ids = new uint[64];
    private bool[] _found = new bool[64];
    private volatile State _state;
    private FlowFound? _onFound;

    private enum State : byte
    {
        Open, // the loop's
        Asked, // the asker's
        Answered, // the loop's again
    }

    public int Count { get; private set; }

    /// <summary><see cref="Found"/>, made once.</summary>
    public FlowFound OnFound => _onFound ??= Found;

    /// <summary>Waits for its answer, or for the loop to take that.</summary>
    public bool IsAsked => _state != State.Open;

    public bool IsAnswered => _state == State.Answered;

    /// <summary>The kernel did not answer, or not all of it: it is unknown what exists.</summary>
    public bool HasFailed { get; private set; }

    public ReadOnlySpan<FlowTuple> Tuples => _tuples.AsSpan(0, Count);

    /// <summary>The id that each entry must have, where identity counts.</summary>
    public ReadOnlySpan<uint> Ids => _ids.AsSpan(0, Count);

    public void Add(in FlowTuple tuple, uint conntrackId = 0)
    {
        if (Count == _tuples.Length)
        {
            Array.Resize(ref _tuples, 2 * Count);
            Array.Resize(ref _ids, 2 * Count);
            Array.Resize(ref _found, 2 * Count);
        }

        _tuples[Count] = tuple;
        _ids[Count++] = conntrackId;
    }

    /// <summary>Whether the kernel knows the flow. What it did not answer exists: nothing may end, or be deleted, by that.</summary>
    public bool IsAlive(int index) => HasFailed || _found[index];

    /// <summary>Whether the kernel has been asked in vain for these tuples, or knows one of them.</summary>
    public FlowExistence Existence(int from, int to) => HasFailed ? FlowExistence.Unknown
        : _found.AsSpan(from, to - from).Contains(true) ? FlowExistence.Some
        : FlowExistence.None;

    /// <summary>The answer has been used: it can be filled again.</summary>
    public void Clear()
    {
        Count = 0;
        _state = State.Open;
    }

    /// <summary>For the asker, before the question becomes its own.</summary>
    internal void MarkAsked()
    {
        _found.AsSpan(0, Count).Clear();
        HasFailed = false;
        _state = State.Asked;
    }

    /// <summary>For the asker: the kernel has an entry for a tuple.</summary>
    internal void Found(int index, in FlowEvent row) =>
        _found[index] = !byIdentity || (row.Flow.Original == _tuples[index] && row.Flow.Id == _ids[index]);

    /// <summary>For the asker: none of the answers counts.</summary>
    internal void Fail() => HasFailed = true;

    /// <summary>For the asker, when it is done: the question is the loop's again.</summary>
    internal void MarkAnswered() => _state = State.Answered;
}

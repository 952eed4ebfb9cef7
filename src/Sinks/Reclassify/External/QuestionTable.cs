using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// The open questions, oldest first, found by id and by what is asked. Its size is fixed, and nothing is allocated after construction.
/// From any thread; a question is taken by exactly one caller.
/// </summary>
internal sealed class QuestionTable
{
    private const int Ends = 0; // the slot whose neighbours are the oldest and the newest

    private readonly Lock _lock = new();
    private readonly Slot[] _slots;
    private readonly Dictionary<FlowQuestion, int> _byQuestion;
    private readonly Dictionary<long, int> _byId;
    private int _free; // first of the chain of free slots, by Next; Ends = none
    private long _lastId;

    internal QuestionTable(int capacity)
    {
        _slots = new Slot[capacity + 1];
        _byQuestion = new Dictionary<FlowQuestion, int>(capacity);
        _byId = new Dictionary<long, int>(capacity);
        for (int slot = capacity; slot > Ends; slot--)
            Free(slot);
    }

    internal int Count
    {
        get
        {
            lock (_lock)
                return _byId.Count;
        }
    }

    /// <summary>When the oldest open question was asked; null when none is open.</summary>
    internal long? OldestAskedAt
    {
        get
        {
            lock (_lock)
                return _slots[Ends].Next is var oldest and not Ends ? _slots[oldest].AskedAt : null;
        }
    }

    /// <summary>Opens a question, unless it is open or there is no room.</summary>
    /// <param name="askedAt">Timestamp; not below an earlier one.</param>
    /// <param name="id">From 1 on, never used again.</param>
    internal Added TryAdd(in FlowQuestion question, long askedAt, out long id)
    {
        lock (_lock)
        {
            id = 0;
            if (_byQuestion.ContainsKey(question))
                return Added.WasOpen;
            if (_free == Ends)
                return Added.NoRoom;
            int slot = _free;
            _free = _slots[slot].Next;
            id = ++_lastId;
            int newest = _slots[Ends].Previous;
            _slots[slot] = new Slot { Question = question, Id = id, AskedAt = askedAt, Previous = newest, Next = Ends };
            _slots[newest].Next = slot;
            _slots[Ends].Previous = slot;
            _byQuestion.Add(question, slot);
            _byId.Add(id, slot);
            return newest == Ends ? Added.AsOnly : Added.AsNewest;
        }
    }

    /// <summary>Whether such an id was ever given.</summary>
    internal bool Knows(long id)
    {
        lock (_lock)
            return id > 0 && id <= _lastId;
    }

    /// <summary>The question, which stays open.</summary>
    internal bool TryGet(long id, out FlowQuestion question)
    {
        lock (_lock)
        {
            bool isOpen = _byId.TryGetValue(id, out int slot);
            question = isOpen ? _slots[slot].Question : default;
            return isOpen;
        }
    }

    /// <summary>Closes a question.</summary>
    internal bool TryTake(long id, out FlowQuestion question)
    {
        lock (_lock)
        {
            question = default;
            return _byId.TryGetValue(id, out int slot) && Take(slot, out question);
        }
    }

    /// <summary>Closes the oldest question if it was asked then or before.</summary>
    internal bool TryTakeOldest(long askedBy, out FlowQuestion question)
    {
        lock (_lock)
        {
            question = default;
            int oldest = _slots[Ends].Next;
            return oldest != Ends && _slots[oldest].AskedAt <= askedBy && Take(oldest, out question);
        }
    }

    private bool Take(int slot, out FlowQuestion question)
    {
        Slot taken = _slots[slot];
        question = taken.Question;
        _byId.Remove(taken.Id);
        _byQuestion.Remove(taken.Question);
        _slots[taken.Previous].Next = taken.Next;
        _slots[taken.Next].Previous = taken.Previous;
        Free(slot);
        return true;
    }

    private void Free(int slot)
    {
        _slots[slot] = new Slot { Next = _free };
        _free = slot;
    }

    private struct Slot
    {
        public FlowQuestion Question;
        public long Id;
        public long AskedAt;
        public int Previous;
        public int Next;
    }

    internal enum Added
    {
        /// <summary>It is the only open question.</summary>
        AsOnly,
        AsNewest,
        WasOpen,
        NoRoom,
    }
}

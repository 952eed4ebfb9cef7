namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>What to do with a message.</summary>
internal enum SequenceVerdict
{
    /// <summary>It follows what is there.</summary>
    Next,

    /// <summary>Its records are there already.</summary>
    Copy,

    /// <summary>Something before it is missing.</summary>
    Early,

    /// <summary>It was given up, and comes after all.</summary>
    Late,
}

/// <summary>How far the records of one host are complete. Not thread-safe.</summary>
internal sealed class SequenceTracker
{
    private const int MostRuns = 16, MostGaps = 64; // remembered; older ones count as complete

    private readonly SortedSet<ulong> _ended = []; // runs before
    private readonly List<(ulong Run, ulong First, ulong Last)> _gaps = [];

    /// <summary>Of the latest run; 0: nothing is known yet.</summary>
    internal ulong Run { get; private set; }

    /// <summary>Last sequence number of it that is there.</summary>
    internal ulong Last { get; private set; }

    /// <summary>Runs before, of which nothing is taken any more but what was given up.</summary>
    internal IReadOnlyCollection<ulong> Ended => _ended;

    /// <summary>As it was found on disk.</summary>
    internal void StartAfter(ulong run, ulong last, IEnumerable<ulong> ended)
    {
        (Run, Last) = (run, last);
        _ended.UnionWith(ended);
        _ended.Remove(run);
    }

    internal SequenceVerdict Judge(in MessageIdentity message)
    {
        if (IsGap(message))
            return SequenceVerdict.Late;
        if (_ended.Contains(message.Run) || (message.Run == Run && message.Last <= Last))
            return SequenceVerdict.Copy;
        bool isNext = Run == 0 ? message is { First: 1, PreviousRun: 0 } : Missing(message) is null;
        return isNext ? SequenceVerdict.Next : SequenceVerdict.Early;
    }

    /// <summary>The records that are missing before a message; null when there are none, or when nothing is known yet.</summary>
    internal (ulong Run, ulong First, ulong Last)? Missing(in MessageIdentity message)
    {
        if (Run == 0)
            return null;
        if (message.Run == Run)
            return message.First > Last + 1 ? (Run, Last + 1, message.First - 1) : null;
        if (message.PreviousRun == Run && message.PreviousLast > Last)
            return (Run, Last + 1, message.PreviousLast);
        return message.First > 1 ? (message.Run, 1, message.First - 1) : null;
    }

    /// <summary>
    /// The log begins with this message: nothing came before it in time. What does so later is taken, too; it is not missing until then, as
    /// the stream may have begun later, or expired.
    /// </summary>
    internal void BeginWith(in MessageIdentity message)
    {
        (Run, Last) = (message.Run, message.First - 1);
        if (Last > 0)
            _gaps.Add((Run, 1, Last));
        if (message.PreviousRun != 0)
            _gaps.Add((message.PreviousRun, 1, message.PreviousLast));
    }

    /// <summary>The message's records are there now.</summary>
    internal void Took(in MessageIdentity message)
    {
        if (message.Run == Run)
            Last = Math.Max(Last, message.Last);
        else
            Begin(message.Run, message.Last);
    }

    /// <summary>Missing records are not waited for any longer.</summary>
    internal void GiveUp((ulong Run, ulong First, ulong Last) missing)
    {
        _gaps.Add(missing);
        if (_gaps.Count > MostGaps)
            _gaps.RemoveAt(0);
        if (missing.Run == Run)
            Last = missing.Last;
        else
            Begin(missing.Run, missing.Last);
    }

    /// <summary>A late message's records are there now.</summary>
    internal void TookLate(in MessageIdentity message)
    {
        MessageIdentity late = message;
        int at = _gaps.FindIndex(gap => Contains(gap, late));
        (ulong run, ulong first, ulong last) = _gaps[at];
        _gaps.RemoveAt(at);
        if (first < late.First)
            _gaps.Add((run, first, late.First - 1));
        if (late.Last < last)
            _gaps.Add((run, late.Last + 1, last));
    }

    private bool IsGap(MessageIdentity message) => _gaps.Exists(gap => Contains(gap, message));

    private static bool Contains((ulong Run, ulong First, ulong Last) gap, in MessageIdentity message) =>
        gap.Run == message.Run && gap.First <= message.First && message.Last <= gap.Last;

    private void Begin(ulong run, ulong last)
    {
        if (Run != 0)
            _ended.Add(Run);
        if (_ended.Count > MostRuns)
            _ended.Remove(_ended.Min);
        (Run, Last) = (run, last);
    }
}

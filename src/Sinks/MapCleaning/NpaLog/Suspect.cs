using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>A deleted key: its deletes, and its flows that are alive at this point of the flow log.</summary>
internal sealed class Suspect
{
    /// <summary>A key without ports can have many flows; beyond these its deletes are unknown.</summary>
    internal const int MaxLives = 4096;

    private readonly List<NpaDelete> _deletes = [];
    private readonly Dictionary<FlowTuple, FlowLife> _lives = [];
    private bool _isBeyondBound;

    internal void Add(NpaDelete delete) => _deletes.Add(delete);

    /// <summary>A record of one of its flows that is not the last: start or update.</summary>
    internal void Live(in FlowTuple original, long? start, long time)
    {
        if (_lives.TryGetValue(original, out FlowLife? life) && !life.IsBefore(start))
        {
            life.Confirm(start, time);
            return;
        }

        if (life is not null)
            Judge(life, start!.Value, isEnd: false); // its end was lost: another flow has its tuple
        else if (_lives.Count == MaxLives)
            _isBeyondBound = true;
        if (life is not null || _lives.Count < MaxLives)
            _lives[original] = new FlowLife(original, start, time);
    }

    /// <param name="end">ns since the Unix epoch; null: found gone at <paramref name="time"/>, so it ended somewhere before.</param>
    internal void End(in FlowTuple original, long? start, long? end, long time)
    {
        _lives.Remove(original, out FlowLife? life);
        if (life is not null && life.IsBefore(start))
        {
            Judge(life, start!.Value, isEnd: false);
            life = null;
        }

        life ??= new FlowLife(original, start, start ?? end ?? time);
        life.Confirm(start, life.LastSeen);
        if (end is null)
            life.DoubtAfter(life.LastSeen);
        Judge(life, end ?? time, isEnd: end is not null);
    }

    /// <summary>The service was down: what lives on is recorded again after it.</summary>
    internal void Restart(long from)
    {
        foreach (FlowLife life in _lives.Values)
            Judge(life, from + 1, isEnd: false);
        _lives.Clear();
    }

    internal void Doubt(long from)
    {
        foreach (FlowLife life in _lives.Values)
            life.DoubtAfter(from);
    }

    /// <summary>The flow log is over: what has no end is alive.</summary>
    internal void Finish()
    {
        foreach (FlowLife life in _lives.Values)
            Judge(life, long.MaxValue, isEnd: false);
        foreach (NpaDelete delete in _deletes)
        {
            if (_isBeyondBound && delete.Verdict == Verdict.Dead)
                delete.Verdict = Verdict.Unknown;
        }
    }

    /// <param name="isEnd">The flow log has <paramref name="end"/> as the flow's own.</param>
    private void Judge(FlowLife life, long end, bool isEnd)
    {
        foreach (NpaDelete delete in _deletes)
        {
            if (delete.Time is not { } time || (life.At(time, end) is var verdict && verdict <= delete.Verdict))
                continue;
            delete.Verdict = verdict;
            delete.Flow = life.Original;
            delete.FlowStart = life.Start;
            delete.FlowEnd = isEnd ? end : null;
        }
    }
}

using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>
/// Which of the flows with one id a line of the format text belongs to. A NEW begins another one, unless a dump after a restart shows the
/// same start again; what follows an end does, too. Lives of one flow in several parts of a log are joined at the end.
/// </summary>
internal sealed class TextLives(int log, int unit)
{
    private const long Rounding = 1_000_000_000; // ns: starts are known to the second

    private readonly Dictionary<Guid, LifeKey> _current = [];
    private int _number;

    internal LifeKey KeyOf(Guid id, in FlowEvent e, Dictionary<LifeKey, FlowLife> lives)
    {
        if (_current.TryGetValue(id, out LifeKey key) && lives.TryGetValue(key, out FlowLife? life) && !IsAnother(life, e))
            return key;
        return _current[id] = new LifeKey(null, null, id) { Part = new LifePart(log, unit, _number++) };
    }

    internal void Forget(Guid id) => _current.Remove(id);

    private static bool IsAnother(FlowLife life, in FlowEvent e)
    {
        if (life.End == 0 && (e.Type != FlowEventType.New || e.Time <= life.Start + Rounding))
            return false;
        life.EndBefore(e.Time);
        return true;
    }

    /// <summary>Lives of all parts, with those of one flow joined.</summary>
    internal static List<FlowLife> Join(IEnumerable<FlowLife> lives)
    {
        List<FlowLife> joined = [];
        foreach (IGrouping<(int, Guid), FlowLife> same in lives.GroupBy(static life => (life.Key.Part!.Value.Log, life.Key.Id)))
        {
            FlowLife? last = null;
            foreach (FlowLife life in same.OrderBy(static life => (life.Key.Part!.Value.Unit, life.Key.Part!.Value.Number)))
            {
                if (last is { End: 0 } && (!life.HasStartRecord || life.Start <= last.Start + Rounding))
                {
                    last.Add(life);
                    continue;
                }

                last?.EndBefore(life.Start);
                joined.Add(last = life);
            }
        }

        return joined;
    }
}
